"""dispatch, killed at random moments: no contact is made twice, none is lost without a word, and every doubt is said."""

import asyncio
import datetime as dt
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from connectors.kafka import clients, reading
from connectors.redis.client import connect, connect_async
from connectors.redis.doubts import noted
from connectors.redis.ledger import Ledger
from models.account import state
from recoup.cli.main import recoup as command_line
from recoup.settings import Settings
from recoup.stack.provision import provision
from recoup.stack.stack import Stack
from schemas.contacts import ContactRequested
from schemas.control import Tenant
from schemas.crm import AccountUpdated, ContactPointUpdated
from schemas.envelope import Channel, account_key
from tests.chaos.fleet import Fleet, Worker
from tests.conftest import running_stack

MOMENTS = int(os.environ.get("CHAOS_MOMENTS", "3"))
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180 + 20 * MOMENTS)]

REQUESTS_A_LIFE = 100
LIVES = 1_000
STOPPED = 300
LONGEST_LIFE = 0.6
"""Seconds from a worker's first contact to its death; it sends what there is in less."""
ADDRESSES: dict[Channel, str] = {"email": "someone@customer.example", "letter": "1 High Street, London"}
"""By channel: the one's provider knows keys, the other's does not."""


class Provider:
    """The double, in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.provider_double"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def contacted(self) -> Counter[str]:
        """How often the customer of each key was contacted."""
        counts = self._counts()
        return Counter(counts["keyed"]) + Counter(counts["keyless"])

    def last_contact(self) -> float:
        """In epoch seconds."""
        return float(self._counts()["last"])

    def _counts(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/counts", timeout=10) as answer:
            counts: dict[str, Any] = json.load(answer)
            return counts

    def hold(self) -> None:
        """Answer nothing any more."""
        body = b"true"
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/hold", body, method="POST"), timeout=10).close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all that is done to dispatch here."""
    home = tmp_path_factory.mktemp("dispatch")
    for stack in running_stack(home):
        provision(Settings(home=home))
        yield stack


@pytest.fixture
def requests(ground_settings: Settings, request: pytest.FixtureRequest) -> "Requests":
    return Requests(ground_settings, request.node.name.split("_")[1])


class Requests:
    """Contacts of customers who may all be contacted, whatever the hour."""

    def __init__(self, settings: Settings, tenant_id: str) -> None:
        self.settings = settings
        self.tenant_id = tenant_id
        self.keys: list[str] = []
        self.places: dict[bytes, int] = {}
        now = dt.datetime.now(dt.UTC)
        tenant = Tenant(
            tenant_id=tenant_id,
            name="Kills",
            currencies=("EUR",),
            time_zone="Europe/Berlin",
            country="DE",
            live_since=now - dt.timedelta(days=900),
        )
        self.zone = f"Etc/GMT{now.hour - 13:+d}"
        """Where it is shortly after one in the afternoon."""
        self.now = now
        self.send("tenants", {tenant_id.encode(): msgspec.json.encode(tenant)})

    def add(self, number: int, *channels: Channel) -> None:
        """So many more, each of a customer of its own, by these channels in turn."""
        first = len(self.keys)
        by = itertools.cycle(channels or ADDRESSES)
        requests = [self.request(f"{self.tenant_id}{first + one}", next(by)) for one in range(number)]
        made = {account_key(self.tenant_id, request.account_id): request for request in requests}
        self.keys += [request.idempotency_key for request in made.values()]
        # Which partition is whose account's is for Kafka's own partitioner to say.
        self.send(
            "crm-events", {key: msgspec.json.encode(self.known(request.account_id)[0]) for key, request in made.items()}
        )
        asyncio.run(self.store({key: state.fold(None, self.known(r.account_id)) for key, r in made.items()}))
        self.send("contact-requests", {key: msgspec.json.encode(request) for key, request in made.items()})

    def known(self, account_id: str) -> list[Any]:
        base: dict[str, Any] = {
            "tenant_id": self.tenant_id,
            "account_id": account_id,
            "source": "test",
            "occurred_at": self.now,
        }
        who = AccountUpdated(
            event_id=f"{account_id}-1", **base, time_zones=(self.zone,), country="DE", debt_class="business"
        )
        points = [
            ContactPointUpdated(event_id=f"{account_id}-{kind}", **base, channel=kind, address=address, verified=True)
            for kind, address in ADDRESSES.items()
        ]
        return [who, *points]

    def request(self, account_id: str, channel: Channel) -> ContactRequested:
        return ContactRequested(
            event_id=f"{account_id}:request",
            tenant_id=self.tenant_id,
            account_id=account_id,
            occurred_at=self.now,
            source="decide",
            decision_id=f"{account_id}-d1",
            contact_id=f"{account_id}-d1:contact",
            channel=channel,
            address=ADDRESSES[channel],
            template="notice",
            purpose="transactional",
            not_before=self.now,
            expires_at=self.now + dt.timedelta(days=1),
            idempotency_key=f"{account_id}-d1:contact",
        )

    def send(self, topic: str, values: dict[bytes, bytes]) -> None:
        producer = clients.producer(self.settings.kafka)

        def delivered(error: Any, message: Any) -> None:
            assert error is None, error
            self.places[message.key()] = message.partition()

        for key, value in values.items():
            producer.produce(topic, value, key, on_delivery=delivered)
        assert producer.flush(30) == 0

    async def store(self, states: dict[bytes, bytes]) -> None:
        """What decide would have stored."""
        client = connect_async(self.settings.redis)
        ledger = Ledger(client, self.settings.redis.prefix, "decide")
        by_partition: defaultdict[int, dict[str | bytes, bytes]] = defaultdict(dict)
        for key, blob in states.items():
            by_partition[self.places[key]][key.decode()] = blob
        for partition, some in by_partition.items():
            await client.hset(ledger.key(partition, "states"), mapping=some)
        await client.aclose()  # type: ignore[attr-defined]

    def told(self) -> dict[str, list[dict[str, Any]]]:
        """The outcomes of each contact that everybody can see."""
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in reading.read_to_end(
            self.settings.kafka, reading.partitions_of(self.settings.kafka, ["interaction-events"])
        ):
            event = msgspec.json.decode(message.value())
            if event["tenant_id"] == self.tenant_id:
                found[event["contact_id"]].append(event)
        return found

    def doubted(self) -> set[str]:
        """The contacts that a person is to look into."""
        client = connect(self.settings.redis)
        found = noted(client, f"{self.settings.redis.prefix}:{{dispatch}}:")
        client.close()
        return {doubt.contact_id for doubt in found if doubt.tenant_id == self.tenant_id}

    def parked(self) -> int:
        client = connect(self.settings.redis)
        prefix = self.settings.redis.prefix
        waiting = sum(client.hlen(f"{prefix}:{{dispatch}}:{partition}:states") for partition in range(8))
        client.close()
        return waiting


def worker_of(fleet: Fleet, provider: Provider) -> Worker:
    life = ["tests.chaos.dispatch_worker", provider.url, "0"]
    fleet.env |= {
        "RECOUP_STREAMS__DISPATCH__RETRY_FIRST_MS": "100",
        "RECOUP_STREAMS__DISPATCH__RETRY_MOST_MS": "1000",
        "RECOUP_STREAMS__DISPATCH__POLL_SECONDS": "0.2",
        "RECOUP_STREAMS__DISPATCH__PAUSED_MS": "500",
    }
    return fleet.worker("dispatch", lives=[life] * LIVES)


def test_killed_at_random_moments_and_at_last_in_mid_send(fleet: Fleet, provider: Provider, requests: Requests) -> None:
    dice = random.Random(MOMENTS)
    worker = worker_of(fleet, provider)
    for _ in range(MOMENTS):
        before = provider.contacted().total()
        requests.add(REQUESTS_A_LIFE)
        fleet.until(lambda before=before: provider.contacted().total() > before, "nothing is sent")  # type: ignore[misc]
        moment = time.monotonic() + dice.uniform(0.0, LONGEST_LIFE)
        fleet.until(lambda moment=moment: time.monotonic() >= moment, "time stood still")  # type: ignore[misc]
        worker.kill()
    fleet.until(lambda: set(requests.told()) >= set(requests.keys), "not every request has ended", 90)
    provider.hold()
    requests.add(1, "letter")
    fleet.until(lambda: requests.keys[-1] in provider.contacted(), "the last one is not sent")
    worker.kill()
    fleet.until(lambda: requests.keys[-1] in requests.told(), "the doubt is not told")
    fleet.until(lambda: requests.parked() == 0, "something still waits")
    fleet.stop()

    assert worker.exits.count(-signal.SIGKILL) == MOMENTS + 1
    assert_each_was_sent_once_and_told_once(provider.contacted(), requests)
    assert requests.told()[requests.keys[-1]][0]["handover"] == "unknown"


def assert_each_was_sent_once_and_told_once(contacted: Counter[str], requests: Requests) -> None:
    told = requests.told()
    assert set(told) == set(requests.keys)
    assert {key: outcomes for key, outcomes in told.items() if len(outcomes) != 1} == {}, "told twice"
    assert {key: times for key, times in contacted.items() if times > 1} == {}, "contacted twice"
    outcomes = {key: outcome for key, (outcome,) in told.items()}
    assert {outcome["type"] for outcome in outcomes.values()} == {"contact.sent"}
    doubts = {key for key, outcome in outcomes.items() if outcome.get("handover") == "unknown"}
    assert outcomes.keys() - contacted.keys() <= doubts, "told as sent, and nobody was contacted"
    assert {outcomes[key]["provider"] for key in doubts} <= {"keyless"}, "the other one could have been asked"
    assert requests.doubted() == doubts


class Operator:
    """A person at the command line."""

    def __init__(self, settings: Settings) -> None:
        self.env = {"RECOUP_HOME": str(settings.home)}

    def __call__(self, *arguments: str, code: int = 0) -> list[Any]:
        """What a command said, line by line."""
        done = CliRunner(env=self.env).invoke(command_line, [*arguments, "--json"])
        assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "["))]


def test_stopped_at_once_until_it_is_let_go_also_by_workers_that_start_meanwhile(
    fleet: Fleet, provider: Provider, requests: Requests
) -> None:
    operator = Operator(requests.settings)
    requests.add(STOPPED, "email")
    worker = worker_of(fleet, provider)
    fleet.until(lambda: provider.contacted().total() > 0, "nothing is sent")
    operator("contacts", "pause", "--tenant", requests.tenant_id, "--reason", "a test")
    stopped_at = time.time()
    worker.kill()
    fleet.until(lambda: requests.parked() + len(requests.told()) == STOPPED, "not every request waits")
    fleet.until(lambda: operator("contacts", "status")[0]["waiting"].keys() == {"paused"}, "not every one is stopped")
    assert provider.last_contact() < stopped_at + 2
    assert 0 < provider.contacted().total() < STOPPED
    (status,) = operator("contacts", "status")
    assert [(stop["tenant_id"], stop["channel"], stop["reason"]) for stop in status["stopped"]] == [
        (requests.tenant_id, "*", "a test")
    ]
    operator("contacts", "resume", "--channel", "email", code=3)
    assert operator("contacts", "resume", "--tenant", requests.tenant_id)[0]["changed"]
    fleet.until(lambda: len(requests.told()) == STOPPED, "not every request has ended")
    fleet.stop()
    assert_each_was_sent_once_and_told_once(provider.contacted(), requests)
    acts = [(act["action"], act["subject"]) for act in operator("audit", "list")]
    acts = [act for act in acts if act[0] in ("pause", "resume")]  # not the tenants of a stack that starts
    assert acts == [
        ("resume", f"contacts {requests.tenant_id} *"),
        ("resume", "contacts * email"),
        ("pause", f"contacts {requests.tenant_id} *"),
    ]


@pytest.mark.slow
def test_lost_redis_is_noticed_and_what_may_have_been_sent_is_told_to_a_person(
    fleet: Fleet, provider: Provider, requests: Requests
) -> None:
    operator = Operator(requests.settings)
    operator("contacts", "pause")
    requests.add(3, "email")
    worker = worker_of(fleet, provider)
    fleet.until(lambda: requests.parked() == 3, "not every request waits")
    worker.stop()
    redis = connect(requests.settings.redis)
    redis.delete(*redis.scan_iter(f"{requests.settings.redis.prefix}:{{dispatch}}:*"))
    redis.close()
    worker.wanted = True
    worker.look_after()
    fleet.until(lambda: len(worker.exits) > 1, "the worker goes on as if nothing was lost")
    assert "recoup contacts recover" in worker.log.read_text(errors="replace")
    worker.stop()
    (report,) = operator("contacts", "recover", "--yes")
    assert (report["waiting"], report["in_doubt"]) == (0, 3)
    requests.add(1, "email")
    worker.wanted = True
    worker.look_after()
    fleet.until(lambda: len(requests.told()) == 4, "not every request has ended")
    fleet.stop()
    endings = Counter(outcome.get("handover", "accepted") for (outcome,) in requests.told().values())
    assert endings == {"unknown": 3, "accepted": 1}
    assert list(provider.contacted()) == [requests.keys[-1]]
    assert {doubt["contact_id"] for doubt in operator("contacts", "unknown")[0]} == set(requests.keys[:3])
    record = operator("audit", "verify")[-1]
    assert (record["faults"], record["vanished_sends"]) == ([], 0)
    assert record["sends"] >= 4
