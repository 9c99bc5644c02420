"""Models change under load: no event waits, no batch mixes them, and what a score was made of can be made again."""

import itertools
import json
import math
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from connectors.kafka import clients, topics
from connectors.kafka.reading import partitions_of, read_to_end
from connectors.kafka.settings import KafkaSettings
from connectors.model_store.store import Store
from models.account.course import Course
from models.account.standing import standing_of
from models.account.state import Facts
from models.actions.schedule import Plan
from models.calendar import DAY, instant, utc
from models.clock import Instant, WallClock
from models.features.rows import fingerprints, focus_of, matrix, observe
from models.propensity.serving import BASELINE
from recoup import tenants
from recoup.cli.main import recoup as command_line
from recoup.model_releases import TOPIC, answers, plan, publish, published
from recoup.settings import Settings
from recoup.stack.workers import Workers
from recoup.worker_answers import Answer
from schemas.actions import NextBestAction
from schemas.control import ModelReleased, Strategy, Tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.registry import SOURCE_TOPICS
from schemas.scores import PropensityScored
from schemas.strategies import Step
from tests.business import Business, Stream
from tests.trained_model import put

TENANT = Tenant(
    tenant_id="models-in-force",
    name="Models in force",
    currencies=("USD",),
    time_zone="America/New_York",
    live_since=utc(1_577_836_800_000),
    strategy=Strategy(
        name="two steps",
        steps=(
            Step(id="reminder", at_days=-3, channel="email", template="reminder"),
            Step(id="overdue", at_days=1, channel="email", template="overdue"),
        ),
    ),
)
ACCOUNTS = 200
PER_SECOND = 400
BETWEEN = 150
"""Events from one release to the next."""
LONGEST_WAIT = 1_000
"""Milliseconds."""
AROUND = 100
"""Milliseconds after a release was answered for that still count to it."""
SCORES, DECISIONS = "propensity-scores", "next-best-actions"

Place = tuple[int, ...]
"""How many of an account's events of each source topic have been folded."""
Log = dict[str, list[tuple[Instant, Any]]]
"""Of one account: topic -> (time stamp in Kafka, event), in the order of the log."""


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Topics:
    """What everybody can read of the tenant."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.scores: dict[str, list[PropensityScored]] = defaultdict(list)
        """By role, in the order of time."""
        self.told_at: dict[str, Instant] = {}
        """Score -> its time stamp in Kafka."""
        self.decisions: dict[str, NextBestAction] = {}
        self.logs: defaultdict[str, Log] = defaultdict(lambda: {topic: [] for topic in SOURCE_TOPICS})
        decoders = {topic: TopicDecoder(topic) for topic in (*SOURCE_TOPICS, SCORES, DECISIONS)}
        for message in read_to_end(kafka, partitions_of(kafka, list(decoders))):
            key, topic, at = message.key() or b"", message.topic(), message.timestamp()[1]
            if not key.startswith(TENANT.tenant_id.encode() + b"|"):
                continue
            event: Any = decoders[topic](message.value(), key, utc(at + DAY))
            assert not isinstance(event, Refusal), event
            if isinstance(event, PropensityScored):
                self.scores[event.role].append(event)
                self.told_at[event.event_id] = at
            elif isinstance(event, NextBestAction):
                self.decisions[event.decision_id] = event
            else:
                self.logs[event.account_id][topic].append((at, event))
        for scores in self.scores.values():
            scores.sort(key=lambda score: (score.occurred_at, self.decisions[score.decision_id].decision_no))

    @property
    def is_scored(self) -> bool:
        """Whether each account was scored after its last event."""
        last = {score.account_id: instant(score.occurred_at) for score in self.scores["champion"]}
        return all(
            at <= last.get(account_id, 0)
            for account_id, log in self.logs.items()
            for said in log.values()
            for at, _ in said
        )

    def of_account(self, role: str = "champion") -> dict[str, list[PropensityScored]]:
        found: defaultdict[str, list[PropensityScored]] = defaultdict(list)
        for score in self.scores[role]:
            found[score.account_id].append(score)
        return found


class Story(msgspec.Struct):
    """What happened."""

    moments: dict[str, str]
    """Model -> when it was trained to score."""
    champions: list[str]
    """In the order in which they were released and taken."""
    challenger: str
    refused: list[tuple[ModelReleased, list[Answer], list[dict[str, Any]]]]
    """Releases, what the command line heard about them, and what `/models` says."""
    metrics: Counter[str]
    """Of the worker, after the stream; without what it had before."""
    began: Instant
    """When the stream did."""
    releases: list[tuple[Instant, Instant]]
    """From when to when each was published, loaded, and answered for."""
    held_up: float
    topics: Topics
    after_restart: tuple[list[dict[str, Any]], str]
    """What `/models` says, and the model of the first score."""


class World:
    """The worker, the stream and the command line."""

    def __init__(self, settings: Settings, workers: Workers) -> None:
        self.settings = settings
        self.kafka = settings.kafka
        self.workers = workers
        self.store = Store(settings.models, settings.home)
        self.releases: list[tuple[Instant, Instant]] = []
        self.stream = Stream(settings.kafka, Business(TENANT.tenant_id, ACCOUNTS), PER_SECOND)

    def start(self) -> None:
        self.workers.start("decide")
        self.workers.wait_ready()

    def ask(self, page: str) -> str:
        where = json.loads((self.settings.home / "run" / "worker-decide-0.json").read_text())
        with urllib.request.urlopen(f"{where['web']}/{page}", timeout=10) as answer:
            return str(answer.read().decode())

    def standings(self) -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = json.loads(self.ask("models"))
        return [standing for standing in said if standing["tenant"] == TENANT.tenant_id]

    def metrics(self) -> Counter[str]:
        lines = [line.rpartition(" ") for line in self.ask("metrics").splitlines() if not line.startswith("#")]
        return Counter({name: float(value) for name, _, value in lines})

    def release(self, model_id: str, *options: str) -> None:
        """As a user does it; it says that the worker has taken it."""
        command = ["models", "release", model_id, "--tenant", TENANT.tenant_id, "--json", *options]
        run = CliRunner(env={"RECOUP_HOME": str(self.settings.home)})
        with self.watched():
            done = run.invoke(command_line, command, catch_exceptions=False)
        said = json.loads(done.stdout)
        assert said["workers"] == [{"worker": "decide-0", "state": "serving", "says": ""}], done.output

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A release happens meanwhile."""
        began = WallClock().now()
        yield
        self.releases.append((began, WallClock().now()))

    def planned(self, model_id: str) -> ModelReleased:
        return plan(self.store, published(self.kafka), model_id, TENANT.tenant_id, "champion")

    def refused(self, release: ModelReleased) -> tuple[ModelReleased, list[Answer], list[dict[str, Any]]]:
        """A release that is published, and what becomes of it."""
        return release, answers(self.settings.home, release, 10), self.standings()

    def publish_unsigned(self, release: ModelReleased) -> ModelReleased:
        """As somebody does who can write to Kafka and has no key."""
        now = WallClock().now()
        forged = msgspec.structs.replace(release, event_id=f"forged-{now}", occurred_at=utc(now), signature="0" * 64)
        self.stream.producer.produce(TOPIC, msgspec.json.encode(forged), f"{TENANT.tenant_id}|champion".encode())
        return forged

    def spoil(self, model_id: str) -> None:
        """Change one byte, which says the same."""
        path = Path(self.store.files.root) / model_id / "scorecard.json"
        path.write_bytes(path.read_bytes().replace(b"unknown", b"unknowm", 1))

    def until_scored(self) -> Topics:
        assert self.stream.producer.flush(15) == 0
        found = [Topics(self.kafka)]

        def is_scored() -> bool:
            if not found[0].is_scored:
                found[0] = Topics(self.kafka)
            return found[0].is_scored

        until(is_scored)
        return found[0]


@pytest.fixture(scope="module")
def story(settings: Settings) -> Iterator[Story]:
    """One worker under load, five releases, and its next start."""
    kafka = settings.kafka
    topics.apply(kafka)
    tenants.publish(kafka, {TENANT.tenant_id: TENANT}, [tenants.Change("add", TENANT.tenant_id)], WallClock())
    with Workers(settings.home) as workers:
        yield _tell(World(settings, workers))
    producer = clients.producer(kafka)
    producer.produce("tenants", None, TENANT.tenant_id.encode())
    for role in ("champion", "challenger"):
        producer.produce(TOPIC, None, f"{TENANT.tenant_id}|{role}".encode())
    assert producer.flush(15) == 0


def _tell(world: World) -> Story:
    stream, store = world.stream, world.store
    moments = {
        put(store, bias=float(number), moment=moment): moment
        for number, moment in enumerate(("issue", "every:7d", "overdue", "issue"))
    }
    one, two, three, four = moments
    world.start()
    for number in range(20):  # what is done for the first time takes longer
        stream.send(f"a{number}")
    world.until_scored()
    before, began = world.metrics(), WallClock().now()

    stream.start()
    stream.wait_for(BETWEEN)
    world.release(one)
    stream.wait_for(BETWEEN)
    world.release(two)
    world.release(three, "--shadow")
    stream.wait_for(BETWEEN)
    spoilt = world.planned(four)
    with world.watched():
        unsigned = world.refused(world.publish_unsigned(spoilt))
    stream.wait_for(BETWEEN)
    world.spoil(four)
    with world.watched():
        corrupt = world.refused(publish(world.kafka, store, spoilt, WallClock()))
    stream.wait_for(BETWEEN)
    stream.end()
    told, metrics = world.until_scored(), world.metrics() - before

    world.workers.stop("decide-0")
    world.start()
    standings = world.standings()
    stream.send("late")
    (late,) = world.until_scored().of_account()["late"]
    return Story(
        moments={BASELINE.model_id: BASELINE.moment} | moments,
        champions=[BASELINE.model_id, one, two],
        challenger=three,
        refused=[unsigned, corrupt],
        metrics=metrics,
        began=began,
        releases=world.releases,
        held_up=stream.held_up,
        topics=told,
        after_restart=(standings, late.model),
    )


def test_the_models_follow_each_other_and_never_mix_in_a_batch(story):
    champions = story.topics.scores["champion"]
    assert len(champions) > 3 * BETWEEN
    batches = defaultdict(set)
    for score in champions:
        batches[score.occurred_at].add(score.model)  # the instant of a batch is one for all of its accounts
    assert [models for models in batches.values() if len(models) > 1] == []
    assert [model for model, _ in itertools.groupby(champions, key=lambda score: score.model)] == story.champions
    assert min(Counter(score.model for score in champions).values()) > 50


def test_a_challenger_scores_every_account_of_a_batch_or_none(story):
    of = {
        role: Counter(score.occurred_at for score in story.topics.scores[role]) for role in ("champion", "challenger")
    }
    shadowed = of["challenger"]
    assert len(shadowed) > 20
    assert shadowed == {at: of["champion"][at] for at in shadowed}
    assert {score.model for score in story.topics.scores["challenger"]} == {story.challenger}
    assert [at for at in of["champion"] if at > min(shadowed) and at not in shadowed] == []


def test_each_decision_names_the_model_that_scored_it(story):
    scores = {score.decision_id: score for score in story.topics.scores["champion"]}
    assert scores.keys() == story.topics.decisions.keys()
    for name, decision in story.topics.decisions.items():
        assert (decision.model, decision.score) == (scores[name].model, scores[name].probability)


def test_no_event_waits_for_a_model(story):
    """A machine that stands still, or is too slow for the load, holds up everything: it is known from the other events."""
    told_at, scores = story.topics.told_at, story.topics.of_account()
    waits: dict[bool, list[int]] = {True: [], False: []}
    """Around a release, and not."""
    for account_id, log in story.topics.logs.items():
        for at, _ in itertools.chain(*log.values()):
            if at >= story.began:
                first = next(score for score in scores[account_id] if instant(score.occurred_at) >= at)
                told = told_at[first.event_id]
                near = any(told >= began and at <= ended + AROUND for began, ended in story.releases)
                waits[near].append(told - at)
    assert min(map(len, waits.values())) > BETWEEN
    allowed = max(LONGEST_WAIT, *waits[False]) + round(story.held_up * 1000)
    assert max(waits[True]) <= allowed
    # The worker itself measures until the decision can be read, of most messages.
    counts = sorted(
        (float(name.split('"')[1]) * 1000, count)
        for name, count in story.metrics.items()
        if name.startswith("recoup_event_to_decision_seconds_bucket")
    )
    everything = story.metrics["recoup_event_to_decision_seconds_count"]
    assert everything > 3 * BETWEEN
    assert next(count for limit, count in counts if limit >= allowed) == everything


def test_what_cannot_be_trusted_is_refused_and_the_old_model_goes_on(story):
    two = story.champions[-1]
    for (release, heard, standings), reason in zip(story.refused, ("unsigned", "corrupt"), strict=True):
        (answer,) = heard
        assert (answer.worker, answer.state) == ("decide-0", "refused")
        assert f"refused ({reason})" in answer.says
        (standing,) = [standing for standing in standings if standing["role"] == "champion"]
        assert (standing["model"], standing["state"], standing["serves"]) == (release.model, "refused", two)
        assert standing["says"] == answer.says
        assert story.metrics[f'recoup_models_refused_total{{reason="{reason}"}}'] == 1
    after = [score for score in story.topics.scores["champion"] if score.occurred_at > story.refused[-1][0].occurred_at]
    assert len(after) > 50
    assert {score.model for score in after} == {two}


def test_a_worker_that_starts_afterwards_serves_the_last_good_model(story):
    standings, model = story.after_restart
    told = {standing["role"]: (standing["state"], standing["model"], standing["serves"]) for standing in standings}
    assert told == {
        "champion": ("refused", story.refused[-1][0].model, story.champions[-1]),
        "challenger": ("serving", story.challenger, ""),
    }
    assert model == story.champions[-1]


def test_what_a_score_was_made_of_can_be_made_again_from_the_topics(story):
    """To the last bit.

    The worker says no offsets. So there must be a way through each account's logs, never backwards and with the last
    score at their ends, on which the features are those of each score.
    """
    calendar = Plan(TENANT)
    challengers = {score.decision_id: score for score in story.topics.scores["challenger"]}
    compared = 0
    for account_id, scores in story.topics.of_account().items():
        log = story.topics.logs[account_id]
        course, places = Course(), {(0,) * len(SOURCE_TOPICS)}
        for score in scores:
            told = [score, *([shadow] if (shadow := challengers.get(score.decision_id)) else [])]
            places = {
                place
                for place in _reachable(places, log, instant(score.occurred_at))
                if all(_is_made_of(its, story.moments[its.model], log, place, course, calendar) for its in told)
            }
            assert places, f"{account_id}: no state of it has the features of {score.decision_id}"
            course = course.after(story.topics.decisions[score.decision_id])
            compared += len(told)
        assert tuple(len(log[topic]) for topic in SOURCE_TOPICS) in places
    assert compared > 1_000


def _reachable(places: set[Place], log: Log, at: Instant) -> set[Place]:
    """What may have been folded at an instant: as much as before or more, and nothing that came later."""
    ends = [sum(arrived <= at for arrived, _ in log[topic]) for topic in SOURCE_TOPICS]
    return {
        further
        for place in places
        for further in itertools.product(*(range(was, end + 1) for was, end in zip(place, ends, strict=True)))
    }


def _is_made_of(score: PropensityScored, moment: str, log: Log, place: Place, course: Course, calendar: Plan) -> bool:
    facts, at = Facts(), instant(score.occurred_at)
    for topic, count in zip(SOURCE_TOPICS, place, strict=True):
        for _, event in log[topic][:count]:
            facts.apply(event)
    standing = standing_of(facts, at, calendar.today(at).overdue_before)
    focus = focus_of(standing, moment, score.target)
    x = matrix([observe(facts, course, standing, focus, at, calendar.zone)])
    logged = np.array([math.nan if value is None else value for value in score.features])
    same = np.array_equal(x[0], logged, equal_nan=True)
    return bool(same) and (fingerprints(x)[0], focus and focus[1]) == (score.features_id, score.invoice_id)
