"""Contact requests on a real Redis: each is sent once, and told once, whatever cuts it short; some on a real broker."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from connectors.channels.channel import Delivery, Message
from connectors.redis.attempts import Attempt, Limit
from connectors.redis.doubts import noted
from connectors.redis.pauses import Stop, StopButton
from models.account.course import Planned
from models.audit import Verifier
from models.suppression import Suppression
from recoup.settings import Settings
from schemas.control import Limits
from schemas.interactions import OptOutReceived
from streams.dispatch import job, outcome
from tests.contact_world import ADDRESS, NOON, TENANT, TUESDAY_NOON, envelope, paid, requested
from tests.dispatch_world import AwayFor, Cut, CutAfter, Forgetful, Provider, Refusing, Slow, World

DAY = 86_400_000


@pytest.fixture
async def world(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    world = World(settings, monkeypatch, real=getattr(request, "param", False))
    yield world
    await world.close()


on_kafka = pytest.mark.parametrize("world", [pytest.param(True, id="kafka")], indirect=True)
"""What depends on a broker is tried on one; the others keep their messages in memory."""


@pytest.fixture
def button(world: World) -> StopButton:
    return StopButton(world.settings)


# -- how a request ends --------------------------------------------------------------------------------------------------


@on_kafka
async def test_a_request_is_sent_and_told_with_its_offset(world: World):
    await world.knows("a1")
    worker = await world.worker()
    part = await world.part(requested("a1"))
    await worker.settle([part])
    (told,) = world.told()
    assert told["type"] == "contact.sent"
    assert told["event_id"] == outcome.outcome_id("a1-d1:contact")
    assert told["contact_id"] == "a1-d1:contact"
    assert told["provider"] == "provider"
    assert world.provider.contacted == ["a1-d1:contact"]
    assert await world.next_offset() == part.end[world.log.requests]
    assert await world.parked() == {}


async def test_a_customer_who_opted_out_since_the_decision_is_left_alone(world: World):
    await world.knows("a1", OptOutReceived(**envelope("a1", 9), channel="email"))
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1"))])
    (told,) = world.told()
    assert (told["type"], told["code"]) == ("contact.failed", "denied:ST-5")
    assert world.provider.contacted == []


async def test_a_customer_who_has_paid_since_the_decision_is_left_alone(world: World):
    await world.knows("a1", paid("a1", 1_200))
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1", invoice_ids=("i1",)))])
    assert [told["code"] for told in world.told()] == ["settled"]


async def test_who_has_paid_a_part_is_told_what_is_left(world: World):
    await world.knows("a1", paid("a1", 500))
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1", invoice_ids=("i1",)))])
    assert world.provider.said == ["7.00 GBP"]


async def test_what_another_account_has_said_of_the_contact_point_binds_this_one(world: World):
    await world.knows("a1")
    await world.suppressions.add([Suppression("acme", ADDRESS.upper(), "opt_out:email", NOON)])
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1"))])
    assert [told["code"] for told in world.told()] == ["denied:ST-5"]
    assert world.provider.contacted == []


async def test_a_template_that_does_not_render_fails_the_contact(world: World):
    await world.knows("a1")
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1", template="broken"))])
    assert [told["code"] for told in world.told()] == ["template:missing_variable"]


async def test_a_late_request_expires(world: World):
    await world.knows("a1")
    world.clock.instant = NOON + DAY
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1"))])
    assert [told["code"] for told in world.told()] == ["expired"]
    assert world.provider.contacted == []


async def test_a_channel_that_nobody_serves_fails_the_contact(world: World):
    await world.knows("a1")
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1", channel="sms", address="+447700900123"))])
    assert [told["code"] for told in world.told()] == ["no_channel"]


async def test_a_refusal_by_the_provider_is_told_as_a_failure(world: World):
    await world.knows("a1")
    worker = await world.worker(Refusing(), world.provider)
    await worker.settle([await world.part(requested("a1"))])
    (told,) = world.told()
    assert (told["type"], told["code"]) == ("contact.failed", "bad_address")
    assert world.provider.asked == 0


async def test_an_opt_out_that_only_the_provider_knew_is_told_to_everybody(world: World):
    await world.knows("a1")
    worker = await world.worker(Refusing("opted_out:21610"))
    await worker.settle([await world.part(requested("a1"))])
    failed, opted_out = world.told()
    assert (failed["type"], failed["code"]) == ("contact.failed", "opted_out:21610")
    assert (opted_out["type"], opted_out["channel"], opted_out["address"]) == ("opt_out.received", "email", ADDRESS)


@on_kafka
async def test_a_bad_request_is_dead_lettered_and_disturbs_no_other(world: World):
    await world.knows("a1")
    worker = await world.worker()
    await worker.settle([await world.part(b"{not json", requested("a1"), b"")])
    assert [told["type"] for told in world.told()] == ["contact.sent"]
    assert sorted(headers["reason"] for headers in world.dead()) == [b"empty_value", b"not_json"]


async def test_a_request_that_comes_twice_is_sent_and_told_once(world: World):
    await world.knows("a1")
    worker = await world.worker()
    part = await world.part(requested("a1"), requested("a1"))
    await worker.settle([part])
    await worker.settle([await world.part(requested("a1"))])
    assert len(world.told()) == 1
    assert world.provider.asked == 1


async def test_a_request_that_was_denied_is_not_sent_when_it_comes_again_and_would_be_allowed(world: World):
    await world.knows("a1", paid("a1", 1_200))
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1"))])
    await world.knows("a1")
    await worker.settle([await world.part(requested("a1"))])
    assert [told["type"] for told in world.told()] == ["contact.failed"]
    assert world.provider.asked == 0


async def test_every_outcome_is_a_link_of_the_audit_chain(world: World):
    await world.knows("a1")
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1"))])
    await worker.settle([await world.part(requested("a2"))])
    verifier = Verifier()
    for number, entry in enumerate(world.told("audit-logs")):
        assert (entry["action"], entry["sequence"], len(entry["records"])) == ("send", number + 1, 1)
    assert verifier.faults == []


# -- what a crash leaves -------------------------------------------------------------------------------------------------


@on_kafka
async def test_a_worker_that_dies_after_the_hand_over_neither_repeats_nor_forgets_it(world: World):
    await world.knows("a1")
    first = await world.worker(CutAfter(world.provider))
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    assert world.told() == []
    world.clock.instant += 60_000
    second = await world.worker()
    await second.settle([await world.read()])
    assert [told["handover"] for told in world.told() if "handover" in told] == []
    assert [told["type"] for told in world.told()] == ["contact.sent"]
    assert world.provider.contacted == ["a1-d1:contact"]
    assert world.provider.asked == 2


async def test_where_the_provider_knows_no_keys_the_doubt_is_told_and_nobody_is_contacted_twice(world: World):
    await world.knows("a1")
    provider = Forgetful()
    first = await world.worker(CutAfter(provider))
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    world.clock.instant += 60_000
    second = await world.worker(provider)
    await second.settle([await world.read()])
    (told,) = world.told()
    assert (told["type"], told["handover"]) == ("contact.sent", "unknown")
    (escalated,) = world.told("customer-events")
    assert (escalated["type"], escalated["reason"]) == ("account.escalated", "contact_unknown:interrupted")
    button = StopButton(world.settings)
    assert [doubt.contact_id for doubt in noted(button.client, button.slot)] == ["a1-d1:contact"]
    assert provider.contacted == ["a1-d1:contact"]


async def test_a_hand_over_that_may_still_be_going_on_is_waited_for(world: World):
    await world.knows("a1")
    provider = Forgetful()
    first = await world.worker(CutAfter(provider))
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    second = await world.worker(provider)
    part = await world.read()
    await second.settle([part])
    assert world.told() == []
    assert await world.parked() == {"a1-d1:contact": 5_100}  # the five seconds of the provider, and grace
    world.clock.instant += 5_100
    await second.settle([world.turn(part.lease)])
    assert [told["handover"] for told in world.told()] == ["unknown"]
    assert await world.parked() == {}


async def test_what_was_begun_is_not_asked_again_once_the_customer_has_opted_out(world: World):
    await world.knows("a1")
    first = await world.worker(CutAfter(world.provider))
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    await world.knows("a1", OptOutReceived(**envelope("a1", 9), channel="email"))
    world.clock.instant += 60_000
    second = await world.worker()
    await second.settle([await world.read()])
    assert [(told["type"], told["handover"]) for told in world.told()] == [("contact.sent", "unknown")]
    assert world.provider.asked == 1


@on_kafka
async def test_an_outcome_that_was_written_down_is_published_unchanged_by_the_next_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await world.knows("a1")
    first = await world.worker()

    async def dies(*_: Any) -> None:
        raise Cut

    monkeypatch.setattr(first.publisher, "publish", dies)
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    world.clock.instant += 60_000
    second = await world.worker()
    part = await world.read()
    assert part.messages == []
    (told,) = world.told()
    assert told["occurred_at"] == "2026-03-10T12:00:00Z"
    await second.settle([part])
    assert len(world.told()) == 1
    assert world.provider.asked == 1


@on_kafka
async def test_outcomes_of_a_lost_partition_are_left_to_its_new_owner(world: World):
    await world.knows("a1")
    worker = await world.worker()
    lost = await world.part(requested("a1"))
    lost.lease.held = False
    await worker.settle([lost])
    assert world.told() == []
    assert await world.next_offset() < 0
    await worker.settle([await world.read()])
    assert len(world.told()) == 1
    assert world.provider.asked == 1


async def test_a_former_owner_cannot_begin_a_contact(world: World):
    await world.knows("a1")
    worker = await world.worker()
    former = await world.part(requested("a1"))
    await world.read()
    await worker.settle([former])
    assert not former.lease.held
    assert world.provider.asked == 0
    assert world.told() == []


# -- what waits ----------------------------------------------------------------------------------------------------------


async def test_a_request_that_comes_before_its_time_waits_for_it(world: World):
    await world.knows("a1")
    worker = await world.worker()
    part = await world.part(requested("a1", not_before=TUESDAY_NOON + dt.timedelta(hours=2)))
    await worker.settle([part])
    assert await world.parked() == {"a1-d1:contact": 7_200_000}
    assert await world.next_offset() == part.end[world.log.requests]
    world.clock.instant += 7_200_000
    await worker.settle([world.turn(part.lease)])
    assert [told["type"] for told in world.told()] == ["contact.sent"]
    assert await world.parked() == {}


async def test_a_parked_request_that_comes_again_is_not_parked_twice(world: World):
    await world.knows("a1")
    worker = await world.worker()
    later = requested("a1", not_before=TUESDAY_NOON + dt.timedelta(hours=2))
    await worker.settle([await world.part(later)])
    world.clock.instant += 7_200_000
    await worker.settle([await world.part(later)])
    assert world.provider.asked == 1
    assert len(world.told()) == 1


async def test_a_parked_request_survives_its_worker(world: World):
    await world.knows("a1")
    first = await world.worker(AwayFor(1))
    await first.settle([await world.part(requested("a1"))])
    assert list(await world.parked()) == ["a1-d1:contact"]
    world.clock.instant += 60_000
    second = await world.worker()
    await second.settle([await world.read()])
    assert [told["type"] for told in world.told()] == ["contact.sent"]


async def test_stop_wins_while_a_request_waits(world: World):
    await world.knows("a1")
    worker = await world.worker(AwayFor(1))
    part = await world.part(requested("a1"))
    await worker.settle([part])
    await world.knows("a1", OptOutReceived(**envelope("a1", 9), channel="email"))
    world.clock.instant += 60_000
    await worker.settle([world.turn(part.lease)])
    assert [told["code"] for told in world.told()] == ["denied:ST-5"]


async def test_each_try_waits_longer_and_the_last_one_is_the_end_of_the_request(world: World):
    await world.knows("a1")
    worker = await world.worker(AwayFor(10_000), breaker={"failures": 10_000, "window": 10_000})
    part = await world.part(requested("a1"))
    waits: list[int] = []
    while not world.told():
        await worker.settle([part])
        waits += (parked := await world.parked()).values()
        world.clock.instant += max(parked.values(), default=0)
        part = world.turn(part.lease)
        if len(waits) == 6:
            world.clock.instant = NOON + DAY - 1
    assert waits[:6] == sorted(waits[:6])
    assert 2_500 <= waits[0] <= 5_000
    assert [told["code"] for told in world.told()] == ["expired:not_sent"]


async def test_the_next_provider_is_asked_when_the_first_has_surely_sent_nothing(world: World):
    await world.knows("a1")
    worker = await world.worker(AwayFor(1, "first"), Provider("second"))
    await worker.settle([await world.part(requested("a1"))])
    assert [told["provider"] for told in world.told()] == ["second"]


async def test_no_other_provider_is_asked_when_the_first_is_in_doubt(world: World):
    await world.knows("a1")
    worker = await world.worker(Slow(), world.provider)
    await worker.settle([await world.part(requested("a1"))])
    assert [(told["provider"], told["handover"]) for told in world.told()] == [("slow", "unknown")]
    assert world.provider.asked == 0


async def test_requests_that_do_not_get_a_turn_in_one_poll_get_it_in_the_next(world: World):
    accounts = [f"a{number}" for number in range(6)]
    for account in accounts:
        await world.knows(account)
    slow = Slow()
    slow.most_seconds = 30.0
    worker = await world.worker(slow, poll_seconds=0.05, sends_at_once=1)
    part = await world.part(*map(requested, accounts))
    await worker.settle([part])
    assert sorted((await world.parked()).values()) == [0, 0, 0, 0, 0, 250]
    slow.answer.set()
    await worker.sending.finish(5.0)
    for _ in range(6):
        world.clock.instant += 250
        await worker.settle([world.turn(part.lease)])
    assert sorted(told["account_id"] for told in world.told()) == accounts
    assert len(slow.contacted) == 6


async def test_a_contact_that_was_begun_with_a_provider_that_is_gone_is_in_doubt(world: World):
    await world.knows("a1")
    first = await world.worker(CutAfter(Provider("first")))
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    world.clock.instant += 60_000
    second = await world.worker(Provider("second"))
    await second.settle([await world.read()])
    assert [(told["provider"], told["handover"]) for told in world.told()] == [("first", "unknown")]


async def test_a_provider_that_breaks_its_contract_stops_nobody_else(world: World):
    class Broken(Forgetful):
        async def send(self, message: Message) -> Delivery:
            if "a1" in message.key:
                raise RuntimeError("not what was agreed")
            return await super().send(message)

    await world.knows("a1")
    await world.knows("a2")
    worker = await world.worker(Broken("broken"))
    await worker.settle([await world.part(requested("a1"), requested("a2"))])
    assert {told["account_id"]: told.get("handover") for told in world.told()} == {"a1": "unknown", "a2": None}


async def test_a_slow_provider_holds_nobody_up(world: World):
    await world.knows("a1")
    slow = Slow()
    slow.most_seconds = 30.0
    worker = await world.worker(slow, poll_seconds=0.05)
    part = await world.part(requested("a1"))
    await worker.settle([part])
    assert world.told() == []
    assert await world.parked() == {"a1-d1:contact": 250}
    slow.answer.set()
    world.clock.instant += 250
    await worker.sending.finish(5.0)
    await worker.settle([world.turn(part.lease)])
    assert [told["type"] for told in world.told()] == ["contact.sent"]
    assert slow.contacted == ["a1-d1:contact"]


async def test_a_provider_that_knows_keys_is_asked_again_under_the_same_key(world: World):
    class Silent(Provider):
        most_seconds = 0.05

        async def send(self, message):
            await super().send(message)
            if self.asked < 3:
                await asyncio.Event().wait()
            return await super().send(message)

    await world.knows("a1")
    silent = Silent("silent")
    worker = await world.worker(silent)
    part = await world.part(requested("a1"))
    for _ in range(3):
        await worker.settle([part])
        world.clock.instant += 60_000
        part = world.turn(part.lease)
    assert [(told["type"], told.get("handover")) for told in world.told()] == [("contact.sent", None)]
    assert silent.contacted == ["a1-d1:contact"]


async def test_an_open_breaker_puts_requests_off_and_a_probe_closes_it(world: World):
    accounts = [f"a{number}" for number in range(6)]
    for account in accounts:
        await world.knows(account)
    away = AwayFor(2)
    worker = await world.worker(away, breaker={"failures": 2, "open_ms": 60_000}, sends_at_once=1)
    part = await world.part(*map(requested, accounts))
    await worker.settle([part])
    assert away.asked == 2
    assert len(await world.parked()) == 6
    for _ in range(30):
        world.clock.instant += 30_000
        part = world.turn(part.lease)
        await worker.settle([part])
    assert sorted(told["account_id"] for told in world.told()) == accounts
    assert len(away.contacted) == 6


async def test_a_rate_limit_is_shared_and_spreads_what_is_over_it(world: World):
    accounts = [f"a{number}" for number in range(5)]
    for account in accounts:
        await world.knows(account)
    worker = await world.worker(tenant_rates={"*": 2.0})
    part = await world.part(*map(requested, accounts))
    await worker.settle([part])
    assert world.provider.asked == 2
    assert sorted((await world.parked()).values()) == [500, 1_000, 1_500]
    world.clock.instant += 1_000
    await worker.settle([world.turn(part.lease)])
    assert world.provider.asked == 4


async def test_clocks_that_differ_let_no_more_through_than_the_rate(world: World):
    await world.worker()
    part = await world.part()
    rate = Limit("tenant:acme", per_second=2.0, burst=2.0)
    verdicts: list[str] = []
    for turn in range(20):  # two workers by turns within 20 ms, the clock of one a second ahead
        attempt = Attempt(NOON + turn + (turn % 2) * 1_000)
        begun = await world.attempts.begin(
            f"key-{turn}", attempt, partition=0, epoch=part.lease.claim.epoch, tenant_id="acme", channel="sms",
            limits=[rate],
        )  # fmt: skip
        verdicts.append(begun.verdict)
    assert verdicts.count("begun") == 3  # the burst, and what fits into it of the second between the clocks, once


# -- the stop button -----------------------------------------------------------------------------------------------------


def stop(**more: Any) -> Stop:
    fields: dict[str, Any] = {"tenant_id": "*", "channel": "*", "by": "ada", "at": NOON}
    return Stop(**(fields | more))


@pytest.mark.parametrize(
    ("scope", "waiting"),
    [
        ({}, 1),
        ({"tenant_id": "acme"}, 1),
        ({"channel": "email"}, 1),
        ({"tenant_id": "acme", "channel": "email"}, 1),
        ({"tenant_id": "other"}, 0),
        ({"channel": "sms"}, 0),
        ({"tenant_id": "acme", "channel": "sms"}, 0),
    ],
)
async def test_what_is_stopped_waits(world: World, button: StopButton, scope: dict[str, str], waiting: int):
    await world.knows("a1")
    button.press(stop(**scope))
    worker = await world.worker()
    await worker.settle([await world.part(requested("a1"))])
    assert world.provider.contacted == ([] if waiting else ["a1-d1:contact"])
    assert len(await world.parked()) == waiting


async def test_a_stop_between_the_look_and_the_sending_is_in_force(world: World, button: StopButton):
    await world.knows("a1")
    worker = await world.worker()
    look = worker.sending.asking._look

    async def then_stop(*args: Any) -> Any:
        found = await look(*args)
        button.press(stop())
        return found

    worker.sending.asking._look = then_stop  # type: ignore[assignment, method-assign]
    await worker.settle([await world.part(requested("a1"))])
    assert world.provider.asked == 0
    assert list(await world.parked()) == ["a1-d1:contact"]


async def test_what_was_stopped_goes_when_it_is_let_go_and_expires_when_it_is_not(world: World, button: StopButton):
    await world.knows("a1")
    await world.knows("a2")
    button.press(stop())
    worker = await world.worker()
    part = await world.part(requested("a1"), requested("a2", expires_at=TUESDAY_NOON + dt.timedelta(seconds=12)))
    await worker.settle([part])
    assert max((await world.parked()).values()) <= 15_000
    world.clock.instant += 15_000
    await worker.settle([world.turn(part.lease)])
    assert [(told["account_id"], told["code"]) for told in world.told()] == [("a2", "expired:paused")]
    assert button.release(stop(resumed=True))
    world.clock.instant += 15_000
    await worker.settle([world.turn(part.lease)])
    assert world.provider.contacted == ["a1-d1:contact"]


async def test_of_two_contacts_of_an_account_that_are_let_go_together_only_one_leaves(world: World, button: StopButton):
    hour = 3_600_000
    planned = [Planned(f"a1-d{number}:contact", NOON + number * hour, "email", "collection") for number in (1, 2)]
    await world.knows("a1", planned=planned)
    world.tenants["acme"] = msgspec.structs.replace(
        TENANT, limits=Limits(min_hours_between_contacts=1, max_contacts_per_7_days=3)
    )
    button.press(stop())
    worker = await world.worker()
    second = {"contact_id": "a1-d2:contact", "idempotency_key": "a1-d2:contact", "decision_id": "a1-d2"}
    part = await world.part(requested("a1"), requested("a1", **second))
    await worker.settle([part])
    button.release(stop(resumed=True))
    await asyncio.gather(*(world.redis.ping() for _ in range(8)))  # a connection for each, so that none comes first
    world.clock.instant += 5 * hour
    await worker.settle([world.turn(part.lease)])
    assert sorted((told["type"], told.get("code")) for told in world.told()) == [
        ("contact.failed", "denied:tenant:min_hours_between_contacts"),
        ("contact.sent", None),
    ]
    assert len(world.provider.contacted) == 1


async def test_what_was_begun_before_the_stop_is_not_asked_again_while_it_lasts(world: World, button: StopButton):
    await world.knows("a1")
    first = await world.worker(CutAfter(world.provider))
    with pytest.raises(Cut):
        await first.settle([await world.part(requested("a1"))])
    button.press(stop())
    world.clock.instant += 60_000
    second = await world.worker()
    await second.settle([await world.read()])
    assert world.provider.asked == 1
    assert world.told() == []


def test_the_topics_are_those_of_the_registry():
    assert (job.REQUESTS, outcome.INTERACTIONS) == ("contact-requests", "interaction-events")
    assert (job.AUDIT_LOGS, outcome.CUSTOMER_EVENTS) == ("audit-logs", "customer-events")


async def test_many_contacts_are_handed_over_side_by_side(world: World):
    accounts = [f"a{number}" for number in range(40)]
    for account in accounts:
        await world.knows(account)
    worker = await world.worker()
    await worker.settle([await world.part(*[requested(account) for account in accounts])])
    assert len(world.provider.contacted) == 40
    assert {told["account_id"] for told in world.told()} == set(accounts)


@pytest.mark.slow
@on_kafka
async def test_two_hundred_contacts_a_second(world: World):
    accounts = [f"a{number}" for number in range(2_000)]
    for account in accounts:
        await world.knows(account)
    worker = await world.worker()
    part = await world.part(*map(requested, accounts))
    began = time.monotonic()
    while part.messages or await world.parked():
        await worker.settle([part])
        world.clock.instant += 250
        part = world.turn(part.lease)
    seconds = time.monotonic() - began
    assert len(world.provider.contacted) == len(world.told()) == 2_000
    assert 2_000 / seconds > 200
