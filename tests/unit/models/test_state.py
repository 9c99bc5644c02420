"""What is stored: round trips, damage, and states that an older or a newer version wrote."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account import state
from models.account.course import Course
from models.account.interactions import Promise
from models.account.ledger import Habits, Invoice
from models.account.standing import standing_of
from models.account.state import AccountState, Facts, decode, encode, facts_bytes, fold, open_stored
from models.account.upgrades import UPGRADES
from models.calendar import Zone, instant
from models.core import Work, step
from models.features.catalogue import NAMES
from models.features.rows import matrix, observe
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


@pytest.mark.parametrize("damaged", [b"\x95", b"nonsense", b"\x95\x02\xc4\x00\xc4\x00\xc4\x01\x00\x90", b"\x90"])
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
    assert found.course.judged == []


def test_what_a_newer_release_has_added_is_left_out():
    blob = decided()
    values = taken_apart(blob)
    newer = [values[0], *[[*part, "new"] for part in values[1:]], "new"]
    assert encode(decode(put_together(newer))) == blob


@pytest.mark.parametrize("added", [[], ["new"]], ids=["with the same parts", "with one more"])
def test_a_state_of_a_newer_version_is_refused_and_not_misread(added):
    values = taken_apart(decided())
    newer = put_together([state.VERSION + 1, *values[1:], *added])
    for read in (decode, open_stored):
        with pytest.raises(msgspec.DecodeError, match=f"version {state.VERSION + 1}.*reads up to {state.VERSION}"):
            read(newer)


def test_an_older_version_is_upgraded_step_by_step(monkeypatch):
    blob = decided()
    older = msgspec.msgpack.encode([-1, {"facts": msgspec.msgpack.decode(blob)}, 0, 0, 0])
    monkeypatch.setitem(UPGRADES, -1, lambda v: [0, *v[1]["facts"][1:]])
    monkeypatch.setitem(UPGRADES, 0, lambda v: [state.VERSION, *v[1:]])
    assert encode(decode(older)) == blob


def test_a_version_that_no_upgrade_leads_from_is_refused():
    with pytest.raises(msgspec.DecodeError, match="no way from version 0"):
        decode(put_together([0, *taken_apart(decided())[1:]]))


# -- version 1 ---------------------------------------------------------------------------------------------------------

CALLED, MAILED, RANG_IN, NOT_REACHED = (instant(day(at)) for at in (3, 2, 4, 5))
INTERACTIONS_1: list[Any] = [
    {
        "mailed": [MAILED, "email", "opened", MAILED << 16, True, "collection", False, "live", "a@example.com", None],
        "called": [CALLED, "call", "conversation", CALLED << 16, False, "collection", False, "live", None, "debt"],
        "rang in": [RANG_IN, "call", "conversation", RANG_IN << 16, False, "collection", True, "live", None, None],
        "busy": [NOT_REACHED, "call", "not_connected", 1, False, "collection", False, "live", None, None],
        "told of only": [NOT_REACHED, "email", "delivered", 2, False, "collection", False, "live", None, None],
    },
    NOT_REACHED,
    {"sent": 1, "opened": 1},
    {"sms|": CALLED},
    {"b@example.com": MAILED},
    {"promise": [MAILED, 100, "USD", 20_530, None, True]},
    7,
    8,
    b"12345678",
]
"""The fold of interactions as version 1 wrote it."""


def of_version_1(interactions: list[Any]) -> bytes:
    habits = [2, 1, 4, 16, CALLED, 2, 0, 0, 0]
    payments = [{"i": ["USD", True, 100, CALLED, MAILED, None, 0, 0, 0, "open", -1, 0]}, {}, {}, {}, habits]
    course = [1, "d", CALLED, "wait", None, None, [], {}, []]
    folds = [msgspec.msgpack.encode(payments), b"", msgspec.msgpack.encode(interactions)]
    return msgspec.msgpack.encode([1, *folds, course])


def test_a_state_of_version_1_is_upgraded():
    found = decode(of_version_1(INTERACTIONS_1))
    said = found.facts.interactions
    assert (said.newest, said.made, said.answered) == (NOT_REACHED, 1, 1)
    assert said.promises == {"promise": Promise(MAILED, 100, "USD", 20_530)}
    assert (said.last_reply_at, said.last_complaint_at) == (7, 8)
    assert said.last_contact_at == CALLED
    assert (said.opt_outs, said.blocked, said.events) == (INTERACTIONS_1[3], INTERACTIONS_1[4], b"12345678")
    touches = [msgspec.to_builtins(touch) for touch in said.touches.values()]
    assert [touch[: len(old)] for touch, old in zip(touches, INTERACTIONS_1[0].values(), strict=True)] == list(
        INTERACTIONS_1[0].values()
    )
    assert found.facts.payments.invoices == {"i": Invoice("USD", amount=100, due=CALLED, at=MAILED)}
    assert found.facts.payments.habits == Habits(2, 1, 4, 16, CALLED, 2)
    assert found.course == Course(1, "d", CALLED, "wait")
    assert encode(found) == encode(decode(encode(found)))


@pytest.mark.parametrize("interactions", [[], [{}], INTERACTIONS_1[:4]])
def test_a_state_of_version_1_with_fewer_fields_is_upgraded(interactions):
    said = decode(of_version_1(interactions)).facts.interactions
    assert len(said.touches) == (len(interactions[0]) if interactions else 0)
    assert said.promises == {}


@pytest.mark.parametrize("interactions", [[5], [{"a": [1]}], [{"a": "b"}]])
def test_damage_of_a_state_of_version_1_is_found(interactions):
    with pytest.raises(msgspec.MsgspecError):
        decode(of_version_1(interactions))


def test_an_upgraded_state_is_folded_on():
    blob = fold(of_version_1(INTERACTIONS_1), [sent("new", at=9)])
    assert blob.startswith(bytes([0x95, state.VERSION]))
    facts = Facts(open_stored(blob))
    assert facts.contacts.last_contact_at == facts.interactions.last_contact_at == instant(day(9))


def test_a_mean_is_of_the_invoices_that_it_is_known_of():
    blob, at = fold(of_version_1(INTERACTIONS_1), [paid("p", 100, at=13)]), instant(day(14))
    facts = Facts(open_stored(blob))
    row = observe(facts, Course(), standing_of(facts, at, at), None, at, Zone("UTC"))
    found = dict(zip(NAMES, matrix([row])[0].tolist(), strict=True))
    assert found["closed_invoices"] == 3
    assert (found["mean_slack"], found["mean_days_to_pay"], found["slack_trend"]) == (10, 11, 0)


def test_equal_facts_are_equal_bytes_whatever_was_decided():
    assert facts_bytes(decided()) == facts_bytes(fold(None, STORY))
    assert decided() != fold(None, STORY)
