"""What is stored: round trips, damage, and states that an older or a newer version wrote."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account import state
from models.account.state import AccountState, decode, encode, facts_bytes, fold, open_stored
from models.calendar import instant
from models.core import Work, step
from tests.unit.models.events import account, consent, day, issued, opted_out, paid, point, sent, tenant
from tests.unit.models.strategies import CRM_EVENTS, INTERACTION_EVENTS, money_events, numbered

STORY = [point(), account(country="US"), consent("granted"), issued("a"), issued("b", due=1), paid("p", 50), sent("c")]


def decided() -> bytes:
    work = Work(
        key="acme|a1",
        tenant_id="acme",
        account_id="a1",
        blob=None,
        events=list(zip(STORY, range(99), strict=False)),
        now=instant(day(9.6)),
    )
    return step([work], {"acme": tenant()}, "live").states[0][1]


@given(
    st.tuples(
        st.lists(money_events(), max_size=8), st.lists(CRM_EVENTS, max_size=5), st.lists(INTERACTION_EVENTS, max_size=5)
    )
)
def test_a_state_survives_being_stored(topics):
    blob = fold(None, numbered([event for topic in topics for event in topic]))
    assert encode(decode(blob)) == blob


def test_nothing_stored_is_a_new_account():
    assert encode(decode(None)) == encode(decode(b"")) == encode(AccountState())


def test_what_is_not_touched_stays_the_very_bytes():
    blob = decided()
    before, after = open_stored(blob), open_stored(fold(blob, [opted_out("sms")]))
    assert (before.payments, before.crm, before.course) == (after.payments, after.crm, after.course)
    assert before.interactions != after.interactions


@pytest.mark.parametrize("damaged", [b"\x95", b"nonsense", b"\x95\x01\xc4\x00\xc4\x00\xc4\x01\x00\x90", b"\x90"])
def test_damage_is_found_when_a_state_is_decoded(damaged):
    with pytest.raises(msgspec.MsgspecError):
        decode(damaged)


def taken_apart(blob: bytes) -> list[Any]:
    """A blob as plain values, its folds too."""
    version, *facts, course = msgspec.msgpack.decode(blob)
    return [version, *map(msgspec.msgpack.decode, facts), course]


def put_together(values: list[Any]) -> bytes:
    version, *facts, course = values[:5]
    return msgspec.msgpack.encode([version, *map(msgspec.msgpack.encode, facts), course, *values[5:]])


def test_a_state_with_fewer_fields_is_read_with_their_defaults():
    values = taken_apart(decided())
    found = decode(put_together([values[0], *[part[:-1] for part in values[1:]]]))
    assert found.facts.payments.events == b""
    assert found.facts.payments.invoices == decode(decided()).facts.payments.invoices
    assert found.course.planned == []


def test_what_a_newer_version_has_added_is_left_out():
    blob = decided()
    values = taken_apart(blob)
    newer = [values[0] + 1, *[[*part, "new"] for part in values[1:]], "new"]
    assert encode(decode(put_together(newer))) == blob


def test_an_older_version_is_upgraded_step_by_step(monkeypatch):
    blob = decided()
    older = msgspec.msgpack.encode([-1, {"facts": msgspec.msgpack.decode(blob)}, 0, 0, 0])
    monkeypatch.setitem(state.UPGRADES, -1, lambda v: [0, *v[1]["facts"][1:]])
    monkeypatch.setitem(state.UPGRADES, 0, lambda v: [1, *v[1:]])
    assert encode(decode(older)) == blob


def test_equal_facts_are_equal_bytes_whatever_was_decided():
    assert facts_bytes(decided()) == facts_bytes(fold(None, STORY))
    assert decided() != fold(None, STORY)
