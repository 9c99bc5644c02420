"""Contacts, answers, decisions and scores in their views are what plain Python makes of the same messages."""

import datetime as dt
import random
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.clickhouse.aggregates import named
from connectors.clickhouse.check import check
from models.clock import WallClock
from recoup.settings import Settings
from schemas.actions import NextBestAction
from tests.contact_stream import Judged, Stream
from tests.integration.test_clickhouse_sink import Warehouse
from tests.landing import blocks, land, refresh, rows

Key = tuple[Any, ...]


@pytest.fixture(scope="module")
def stream() -> Stream:
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")  # shown when a test fails
    return Stream(seed, WallClock().now())


@pytest.fixture(scope="module")
def judged(stream: Stream) -> Judged:
    return Judged(stream)


@pytest.fixture(scope="module")
def warehouse(settings: Settings, stream: Stream) -> Iterator[Warehouse]:
    warehouse = Warehouse(settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    draw = random.Random(stream.number)
    messages = list(stream.messages())
    draw.shuffle(messages)
    land(warehouse, blocks(messages, WallClock().now(), draw), draw)
    refresh(warehouse, "answers", "contacts", "contact_funnel_daily", "allowance_weekly")
    yield warehouse
    warehouse.client.command(f"DROP DATABASE {warehouse.settings.database}")
    warehouse.server.close()


def naive(row: dict[str, Any]) -> dict[str, Any]:
    """With all times in UTC, whatever way the client shows them."""
    return {
        name: value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) and value.tzinfo is None else value
        for name, value in row.items()
    }


def near(value: Any) -> Any:
    return pytest.approx(value) if isinstance(value, float) else value


def approximately(row: dict[str, Any]) -> dict[str, Any]:
    return {name: near(value) for name, value in row.items()}


def test_every_answer_stands_beside_the_contact_that_it_followed(warehouse: Warehouse, judged: Judged) -> None:
    said = {(row["kind"], row["id"]): naive(row) for row in rows(warehouse, "answers", "kind, id")}
    wanted = {(answer["kind"], answer["id"]): answer for answer in judged.answers}
    assert said.keys() == wanted.keys()
    for key, answer in wanted.items():
        assert said[key] == answer, (
            key,
            {k: (said[key][k], answer[k]) for k in answer if said[key].get(k) != answer[k]},
        )
    assert {kind for kind, _ in said} == {"promise", "complaint", "opt_out", "reply", "inbound_call"}


def test_every_contact_is_one_row_from_decision_to_cash(warehouse: Warehouse, judged: Judged) -> None:
    said = {row["contact_id"]: naive(row) for row in rows(warehouse, "contacts", "contact_id")}
    assert len(said) == len(list(rows(warehouse, "contacts", "contact_id")))
    assert said.keys() == judged.contacts.keys()
    for name, contact in judged.contacts.items():
        assert said[name] == approximately(contact), (
            name,
            {k: (said[name].get(k), v) for k, v in contact.items() if said[name].get(k) != near(v)},
        )


def test_what_is_known_of_contacts_is_what_the_tables_say(warehouse: Warehouse) -> None:
    verdict = check(warehouse.server, named(warehouse.server, "contacts"))
    assert (verdict.rows > 0, verdict.differing) == (True, ())


def test_the_funnel_counts_contacts_by_their_day(warehouse: Warehouse, judged: Judged) -> None:
    keys = ("tenant_id", "day", "channel", "template", "policy", "arm", "currency")
    wanted: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for contact in judged.contacts.values():
        row = wanted[tuple(contact[key] for key in keys)]
        row["cost_minor"] += contact["cost_minor"] if contact["sent_at"] else 0
        stages = {"decided": "decided_at", "dispatched": "sent_at", "delivered": "delivered_at", "opened": "opened_at"}
        for name, time in (stages | {"clicked": "clicked_at", "replied": "replied_at"}).items():
            row[name] += contact[time] is not None
        row["dials"] += contact["call_outcome"] != ""
        row["connects"] += contact["call_outcome"] in ("conversation", "third_party", "wrong_party")
        row["right_party"] += contact["call_outcome"] == "conversation"
        for name in ("promises", "promises_kept", "collected_minor", "complaints", "opt_outs"):
            row[name] += contact[name]
    said = {tuple(row.pop(key) for key in keys): row for row in rows(warehouse, "contact_funnel_daily", "day")}
    assert said == {key: approximately(dict(row)) for key, row in wanted.items()}


def test_complaints_and_opt_outs_are_counted_by_channel(warehouse: Warehouse, judged: Judged) -> None:
    wanted: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0, 0])
    for contact in judged.contacts.values():
        if contact["sent_at"] is not None:
            wanted[contact["tenant_id"], contact["day"], contact["channel"]][0] += 1
    for answer in judged.answers:
        if answer["kind"] == "complaint":
            wanted[answer["tenant_id"], answer["day"], answer["channel"] or answer["contact_channel"]][1] += 1
        elif answer["kind"] == "opt_out":
            wanted[answer["tenant_id"], answer["day"], answer["channel"]][2] += 1
    said = {
        (row["tenant_id"], row["day"], row["channel"]): row
        for row in rows(warehouse, "complaints_daily", "day, channel")
    }
    assert {key: [row["contacts"], row["complaints"], row["opt_outs"]] for key, row in said.items()} == wanted
    for key, (contacts, complaints, opt_outs) in wanted.items():
        rates = said[key]["complaints_per_1000"], said[key]["opt_outs_per_1000"]
        assert rates == (
            (None, None) if not contacts else (near(1000 * complaints / contacts), near(1000 * opt_outs / contacts))
        )


def test_agents_are_credited_with_what_followed_their_calls(warehouse: Warehouse, judged: Judged) -> None:
    wanted: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for contact in judged.contacts.values():
        if contact["agent"]:
            row = wanted[contact["tenant_id"], contact["day"], contact["agent"], contact["currency"]]
            row["dials"] += 1
            row["connects"] += contact["call_outcome"] in ("conversation", "third_party", "wrong_party")
            row["right_party"] += contact["call_outcome"] == "conversation"
            row["handle_seconds"] += contact["handle_seconds"] or 0
            row["inbound"] += 0
            for name in ("promises", "promised_minor", "promises_kept", "collected_minor"):
                row[name] += contact[name]
    for answer in judged.answers:
        if answer["agent"]:
            row = wanted[answer["tenant_id"], answer["day"], answer["agent"], ""]
            row["inbound"] += 1
            row["handle_seconds"] += answer["handle_seconds"] or 0
    keys = ("tenant_id", "day", "agent", "currency")
    for said in rows(warehouse, "agents_daily", "day"):
        row = wanted.pop(tuple(said.pop(key) for key in keys))
        assert said == approximately({name: row[name] for name in said})
    assert not wanted


def hour(at: dt.datetime) -> dt.datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def test_decisions_are_added_up_by_hour_and_by_what_was_chosen(warehouse: Warehouse, stream: Stream) -> None:
    wanted: defaultdict[Key, list[Any]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for its in stream.of(NextBestAction):
        what = (its.policy, its.model, its.arm, its.segment, its.currency or "")
        row = wanted[(its.tenant_id, hour(its.occurred_at), *what, its.action, its.channel or "", its.template or "")]
        row[0] += 1
        row[1] += its.contact_id is not None
        row[2] += its.at_stake_minor
        row[3] += its.score
    for said in map(naive, rows(warehouse, "decisions_hourly", "hour")):
        decisions, contacts, at_stake, score = wanted.pop(tuple(said.values())[:10])
        assert tuple(said.values())[10:] == (decisions, contacts, at_stake, near(score / decisions))
    assert not wanted


def test_denials_and_limits_are_counted_once_a_decision(warehouse: Warehouse, stream: Stream) -> None:
    denied: defaultdict[Key, list[str]] = defaultdict(list)
    limited: defaultdict[Key, list[int]] = defaultdict(list)
    for its in stream.of(NextBestAction):
        at = hour(its.occurred_at)
        for name, rule in {(c.channel or "", rule) for c in its.actions for rule in c.denied_by}:
            denied[its.tenant_id, at, name, rule].append(its.account_id)
        for channel, left in {(c.channel, c.left) for c in its.actions if c.left is not None}:
            limited[its.tenant_id, at, channel].append(left)
    assert {tuple(naive(row).values()) for row in rows(warehouse, "denials_hourly", "hour")} == {
        (*key, len(accounts), len(set(accounts))) for key, accounts in denied.items()
    }
    assert {tuple(naive(row).values()) for row in rows(warehouse, "limits_near_hourly", "hour")} == {
        (*key, len(lefts), lefts.count(1), lefts.count(0)) for key, lefts in limited.items()
    }


def test_what_the_limits_leave_is_that_of_each_accounts_last_decision(
    warehouse: Warehouse, stream: Stream, judged: Judged
) -> None:
    last: dict[Key, tuple[Any, ...]] = {}
    for its in stream.of(NextBestAction):
        for channel, left in {(c.channel, c.left) for c in its.actions if c.left is not None}:
            place: Key = its.tenant_id, monday(its.occurred_at.date()), channel, its.account_id
            chosen = its.channel == channel and its.contact_id is not None
            last[place] = max(
                last.get(place, (dt.datetime.min.replace(tzinfo=dt.UTC),)), (its.occurred_at, left, chosen)
            )
    made: Counter[Key] = Counter(
        (contact["tenant_id"], monday(contact["day"]), contact["channel"])
        for contact in judged.contacts.values()
        if contact["sent_at"] is not None
    )
    wanted: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for place, (_, left, chosen) in last.items():
        wanted[place[:3]][0] += 1
        wanted[place[:3]][1] += max(0, left - chosen)
    for row in rows(warehouse, "allowance_weekly", "week"):
        key = row["tenant_id"], row["week"], row["channel"]
        accounts, left = wanted.pop(key)
        assert (row["accounts"], row["contacts_made"], row["contacts_left"]) == (accounts, made[key], left)
        everything = made[key] + left
        assert row["unused_share"] == (near(left / everything) if everything else None)
    assert not wanted
