"""A past without servers: what is told to the topics is what states, counters, offsets and chains rest on."""

from collections import defaultdict
from types import SimpleNamespace

import pytest

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from models.audit import Verifier, digest
from models.calendar import DAY, HOUR, instant
from models.core import rebuild_state
from recoup.demo.past.handover import rebuilt_of
from recoup.demo.past.looks import moments
from recoup.demo.past.make import BACKFILL, HOUSE, MARKETS, Asked, Maker, Past, last_hour, population_of
from recoup.demo.past.telling import Telling
from recoup.policy_releases import read_strategy
from recoup.settings import Settings
from recoup.tenants import read_folder
from schemas.decode import Refusal, TopicDecoder
from schemas.errors import NotReady
from schemas.registry import SOURCE_TOPICS
from streams.decide.rebuild import FOREVER

START = 1_756_684_800_000
DAYS, ACCOUNTS = 40, 60
UNTIL = START + (DAYS - 1) * DAY + 15 * HOUR
PARTITIONS = 8


class Topics:
    """A producer that keeps what it is given; a key's partition is a number of its own making."""

    def __init__(self, refuses=None):
        self.messages = defaultdict(list)
        self.refuses = refuses
        self.answers = []

    def produce(self, topic, value, key, timestamp, on_delivery):
        partition = sum(key) % PARTITIONS
        place = self.messages[topic, partition]
        self.answers.append(
            (on_delivery, SimpleNamespace(topic=lambda: topic, key=lambda: key, partition=lambda: partition))
        )
        place.append((key, value, timestamp))

    def poll(self, _):
        return 0

    def flush(self, _):
        for answer, message in self.answers:
            answer(self.refuses, message)
        self.answers = []
        return 0

    def of(self, *topics):
        return [
            (place, message) for place, messages in self.messages.items() if place[0] in topics for message in messages
        ]


@pytest.fixture(scope="module")
def told():
    topics = Topics()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "producer", lambda *_, **__: topics)
        telling = Telling(KafkaSettings(), 1)
    settings = Settings()
    tenants = {name: its for name, its in read_folder(settings.tenants_dir).items() if name in MARKETS}
    strategies = {
        name: read_strategy(settings.tenants_dir.parent / "strategies" / f"{file}.yaml")
        for name, file in (("acme", "household"), ("nordlicht", "business"))
    }
    population = population_of(tenants, Asked(DAYS, ACCOUNTS, 1, UNTIL))
    maker = Maker(population, START, UNTIL, strategies, telling)
    days: list[int] = []
    maker.make(DAYS, days.append)
    telling.finish()
    assert days == list(range(1, DAYS + 1))
    return maker, telling, topics


def decoded(topics, *names):
    """(topic, partition), event and time stamp of all messages, in their order; a refusal fails."""
    decoders = {name: TopicDecoder(name) for name in names}
    for place, (key, value, at) in topics.of(*names):
        event = decoders[place[0]](value, key, FOREVER)
        assert not isinstance(event, Refusal), event
        yield place, event, at


def test_every_message_is_one_that_its_topic_takes(told):
    _, telling, topics = told
    names = [*SOURCE_TOPICS, "propensity-scores", "next-best-actions", "customer-events", "contact-requests"]
    counted: defaultdict[str, int] = defaultdict(int)
    for (topic, _), event, at in decoded(topics, *names):
        counted[topic] += 1
        assert at >= instant(event.occurred_at)
    assert {topic: times for topic, times in telling.messages().items() if topic in names} == counted
    assert counted["next-best-actions"] == counted["propensity-scores"] > ACCOUNTS
    assert telling.events() == sum(counted[topic] for topic in SOURCE_TOPICS)


def test_an_accounts_state_is_what_its_topics_fold_to(told):
    maker, telling, topics = told
    events, decisions = defaultdict(list), defaultdict(list)
    for topic in SOURCE_TOPICS:
        for _, event, _ in decoded(topics, topic):
            events[f"{event.tenant_id}|{event.account_id}"].append(event)
    for _, event, _ in decoded(topics, "next-best-actions"):
        decisions[f"{event.tenant_id}|{event.account_id}"].append(event)
    states = maker.states()
    assert len(states) == ACCOUNTS
    applied, dropped = 0, 0
    for key, (blob, review_at) in states.items():
        folded = rebuild_state(events[key], decisions[key])
        assert (folded.blob, folded.review_at) == (blob, review_at)
        applied, dropped = applied + folded.applied, dropped + len(folded.dropped)
    counters = [telling.counters(partition) for partition in range(PARTITIONS)]
    assert sum(its["applied"] for its in counters) == applied
    assert sum(sum(its.values()) - its["applied"] for its in counters) == dropped


def test_offsets_end_behind_the_last_message_of_each_partition(told):
    maker, telling, topics = told
    rebuilt = rebuilt_of(maker.states(), telling)
    for its in rebuilt:
        for topic in SOURCE_TOPICS:
            assert its.offsets[topic] == len(topics.messages[topic, its.partition])
    assert {key for its in rebuilt for key in its.states} == set(maker.states())


@pytest.mark.parametrize("minutes", [0, 1, 29, 59])
def test_all_of_a_past_arrives_so_long_ago_that_its_rows_are_a_backfill(told, minutes):
    _, _, topics = told
    now = UNTIL + 5 * HOUR + minutes * HOUR // 60
    moved = last_hour(now) - UNTIL
    newest = moved + max(at for messages in topics.messages.values() for _, _, at in messages)
    assert moved % HOUR == 0
    assert now - BACKFILL - HOUR - 1_000 < newest < now - BACKFILL


def test_dispatch_has_all_requests_behind_it_but_those_of_the_last_hour(told):
    _, telling, topics = told
    sent = {
        event.contact_id
        for _, event, _ in decoded(topics, "interaction-events")
        if type(event).__name__ == "ContactSent"
    }
    assert sent
    behind = telling.behind()
    for partition in range(PARTITIONS):
        requests = [event for place, event, _ in decoded(topics, "contact-requests") if place[1] == partition]
        for offset, request in enumerate(requests):
            late = instant(request.occurred_at) >= UNTIL + HOUSE.decides_after
            assert (offset >= behind[partition]) == late
            assert (request.contact_id in sent) == (not late)


def test_the_chains_are_whole_and_record_every_decision_in_its_order(told):
    _, telling, topics = told
    verifier = Verifier()
    for number, (_, (_, value, _)) in enumerate(topics.of("audit-logs")):
        verifier.read(value, str(number))
    assert verifier.faults == []
    for partition in range(PARTITIONS):
        decisions = [digest(value) for _, value, _ in topics.messages["next-best-actions", partition]]
        assert bytes.fromhex("".join(decisions)) == bytes(verifier.recorded[f"decide-{partition}", "decision"])
        assert verifier.chains[f"decide-{partition}"].head == telling.heads[partition]


def test_what_the_broker_does_not_take_ends_it(monkeypatch):
    topics = Topics(refuses=SimpleNamespace(name=lambda: "MSG_SIZE_TOO_LARGE"))
    monkeypatch.setattr(clients, "producer", lambda *_, **__: topics)
    telling = Telling(KafkaSettings(), 1)
    telling._send("crm-events", b"acme|a", b"{}", START)
    with pytest.raises(NotReady, match="MSG_SIZE_TOO_LARGE"):
        telling.finish()


def test_the_models_are_looked_at_every_month_once_there_is_enough_to_compare():
    end = START + 150 * DAY
    assert moments(Past(150, ended_at=end)) == [end - 60 * DAY, end - 30 * DAY, end]
    assert moments(Past(61, ended_at=end)) == [end]
    assert moments(Past(60, ended_at=end)) == moments(Past(0)) == []
