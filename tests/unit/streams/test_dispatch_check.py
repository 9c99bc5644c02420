"""The last look before a contact leaves."""

import datetime as dt
from typing import Any

import pytest

from connectors.redis.attempts import Attempt, Ending, Stored
from models.account import state
from models.account.course import Planned
from models.compliance.gate import ALLOWED, Situation, Verdict
from models.compliance.rule_gate import RuleGate
from schemas.crm import ConsentChanged, ContactPointChecked, ContactPointUpdated, DisputeOpened, HoldPlaced
from schemas.interactions import ContactFailed, ContactSent, OptOutReceived, PromiseCancelled, PromiseMade
from streams.dispatch.check import Cleared, Looked, inspect
from streams.dispatch.outcome import outcome_id
from tests.contact_world import (
    ADDRESS,
    NOON,
    TENANT,
    TUESDAY_NOON,
    blob_of,
    envelope,
    known,
    owes,
    paid,
    requested,
    state_of,
)

HOUR = 3_600_000
TENANTS = {"acme": TENANT}
GATE = RuleGate()


def asked(blob: bytes | None, at: int = NOON, listed: dict[str, int] | None = None, **more: Any) -> str | None:
    """The code that says why it must not leave; None = it may."""
    found = inspect(requested("a1", **more), TENANTS, GATE, at, Looked(blob, listed or {}))
    return found if isinstance(found, str) else None


def said(blob: bytes | None, **more: Any) -> dict[str, str]:
    """What the template may say."""
    found = inspect(requested("a1", **more), TENANTS, GATE, NOON, Looked(blob))
    assert isinstance(found, Cleared)
    return found.variables


def test_a_contact_that_nothing_bars_may_leave():
    assert asked(blob_of(*known("a1"))) is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (OptOutReceived(**envelope("a1", 5), channel="email"), "denied:ST-5"),
        (OptOutReceived(**envelope("a1", 5), channel="all"), "denied:ST-5"),
        (HoldPlaced(**envelope("a1", 5), hold_id="h"), "denied:ST-6"),
        (
            ContactPointUpdated(**envelope("a1", 5), channel="email", address=ADDRESS, removed=True),
            "denied:no_contact_point",
        ),
        (
            ContactSent(**envelope("a1", 5), contact_id="other", channel="email"),
            "denied:tenant:min_hours_between_contacts",
        ),
    ],
)
def test_what_happened_since_the_decision_denies_it(event, code):
    assert asked(blob_of(*known("a1"), event)) == code


def test_a_contact_that_failed_does_not_count_as_one():
    assert asked(blob_of(*known("a1"), ContactFailed(**envelope("a1", 5), contact_id="other", channel="email"))) is None


def test_it_is_not_sent_at_night():
    at = NOON + 11 * HOUR
    assert asked(blob_of(*known("a1")), at, expires_at=TUESDAY_NOON + dt.timedelta(days=3)) == (
        "denied:HR-2,HR-3,tenant:contact_hours"
    )


def test_it_expires_at_the_very_instant():
    expires = TUESDAY_NOON + dt.timedelta(hours=1)
    assert asked(blob_of(*known("a1")), NOON + HOUR - 1, expires_at=expires) is None
    assert asked(blob_of(*known("a1")), NOON + HOUR, expires_at=expires) == "expired"


def test_an_account_that_nothing_is_known_of_is_not_contacted():
    assert asked(None) == "denied:no_contact_point"


def test_a_damaged_state_bars_the_contact():
    assert asked(b"\xc1nonsense") == "unreadable_state"


def test_a_tenant_that_was_withdrawn_contacts_nobody():
    assert inspect(requested("a1"), {}, GATE, NOON, Looked(blob_of(*known("a1")))) == "unknown_tenant"


def test_its_own_plan_does_not_count_against_it_but_an_earlier_one_does():
    planned = state_of(*known("a1"))
    own = Planned("a1-d1:contact", NOON, "email", "collection")
    planned.course.planned = [own]
    assert asked(state.encode(planned)) is None
    planned.course.planned = [Planned("a1-d0:contact", NOON - HOUR, "email", "collection"), own]
    assert asked(state.encode(planned)) == "denied:tenant:min_hours_between_contacts"


def stored(began: int, ending: Ending | None = None) -> Stored:
    return Stored(Attempt(began, ending=ending), b"")


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("other", "allowed"),
    [
        (stored(NOON - HOUR), False),
        (stored(NOON - HOUR, Ending("sent", NOON)), False),
        (stored(NOON - HOUR, Ending("unknown", NOON)), False),
        (stored(NOON - HOUR, Ending("failed", NOON)), True),
        (stored(NOON - 25 * HOUR, Ending("sent", NOON - 25 * HOUR)), True),
    ],
)
def test_another_contact_counts_from_when_it_left_and_not_from_when_it_was_decided_on(place, other, allowed):
    planned = state_of(*known("a1"))
    planned.course.planned = [Planned("a1-d1:contact", NOON, "email", "collection")]
    planned.course.planned.insert(place, Planned("a1-d0:contact", NOON - 30 * HOUR, "email", "collection"))
    looked = Looked(state.encode(planned), begun={"a1-d0:contact": other})
    found = inspect(requested("a1"), TENANTS, GATE, NOON, looked)
    assert isinstance(found, Cleared) if allowed else found == "denied:tenant:min_hours_between_contacts"


def test_an_outcome_has_one_id_for_each_key():
    assert outcome_id("k1") == outcome_id("k1")
    assert outcome_id("k1") != outcome_id("k2")
    assert len(outcome_id("k" * 200)) < 100


# -- what is still owed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (paid("a1", 1_200), "settled"),
        (DisputeOpened(**envelope("a1", 9), invoice_id="i1"), "disputed"),
        (HoldPlaced(**envelope("a1", 9), hold_id="h", debt_id="d9"), "held"),
    ],
)
@pytest.mark.parametrize("about", [("i1",), ()])
def test_what_was_paid_disputed_or_held_since_is_not_asked_for(event, code, about):
    debt: dict[str, Any] = {"debt_id": "d1"} if code == "held" else {}
    assert asked(blob_of(*known("a1"), event), invoice_ids=about, **debt) == code


def test_a_part_that_was_paid_is_not_asked_for_again():
    assert said(blob_of(*known("a1"), paid("a1", 500)), invoice_ids=("i1",))["amount"] == "7.00 GBP"


def test_of_several_invoices_only_what_may_be_asked_for_is():
    events = [*known("a1"), owes("a1", "i2", 500, 4), owes("a1", "i3", 300, 5)]
    disputed = DisputeOpened(**envelope("a1", 9), invoice_id="i2")
    assert said(blob_of(*events), invoice_ids=("i1", "i2"))["amount"] == "17.00 GBP"
    assert said(blob_of(*events, disputed), invoice_ids=("i2", "i1"))["amount"] == "12.00 GBP"
    assert said(blob_of(*events, disputed), invoice_ids=("i2", "i1"))["invoice_id"] == "i1"


def test_another_invoice_that_is_open_does_not_stand_for_one_that_was_paid():
    events = [*known("a1"), owes("a1", "i2", 500, 4), paid("a1", 1_200)]
    assert asked(blob_of(*events), invoice_ids=("i1",)) == "settled"


def test_what_the_request_says_besides_amounts_stays():
    assert said(blob_of(*known("a1")), variables={"plan": "3 x 4.00", "amount": "99.00"}) == {
        "plan": "3 x 4.00",
        "amount": "12.00 GBP",
        "name": "",
        "invoice_id": "i1",
        "invoices": "1",
        "due_on": "2026-02-28",
    }


def test_a_contact_that_asks_for_no_money_needs_no_debt():
    settled = blob_of(*known("a1"), paid("a1", 1_200))
    assert asked(settled, purpose="consent_request") is None
    assert asked(settled, purpose="transactional", invoice_ids=("i1",)) == "settled"


def promise(minutes: int, *more):
    later = TUESDAY_NOON + dt.timedelta(minutes=minutes)
    fields = envelope("a1", 20, occurred_at=later) | {"promise_id": "p1", "amount_minor": 1_200, "currency": "GBP"}
    return blob_of(*known("a1"), PromiseMade(**fields, due_on=dt.date(2026, 3, 20)), *more)


def test_who_has_promised_to_pay_since_is_left_alone():
    assert asked(promise(1)) == "promised"
    assert asked(promise(-1)) is None  # decide knew of it
    cancelled = PromiseCancelled(**envelope("a1", 21), promise_id="p1")
    assert asked(promise(1, cancelled)) is None


# -- confirmations and suppressions --------------------------------------------------------------------------------------


def test_an_opt_out_is_confirmed_within_five_minutes_or_not_at_all():
    opted_out = blob_of(*known("a1"), OptOutReceived(**envelope("a1", 9), channel="email"))
    assert asked(opted_out, NOON + 300_000, purpose="opt_out_confirmation") is None
    assert asked(opted_out, NOON + 300_001, purpose="opt_out_confirmation") == "too_late"


NAMED = NOON - 24 * HOUR + 2 * 60_000
"""When the account named its contact point."""


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ({"opt_out:email": NOON}, "denied:ST-5"),
        ({"opt_out:all": 1}, "denied:ST-5"),
        ({"wrong_party": NAMED, "opt_out:email": 1}, "denied:ST-4,ST-5"),
        ({"wrong_party": NAMED - 1}, None),
        ({"reassigned": NAMED}, "denied:ST-4"),
    ],
)
def test_what_stands_against_the_contact_point_bars_every_account(listed, code):
    assert asked(blob_of(*known("a1")), listed=listed) == code


def test_an_opt_out_is_lifted_for_the_account_whose_own_consent_is_newer():
    def consented(**more):
        return blob_of(
            *known("a1"), ConsentChanged(**envelope("a1", 30), channel="email", **({"state": "granted"} | more))
        )

    before, after = NOON - 24 * HOUR + 30 * 60_000 - 1, NOON - 24 * HOUR + 30 * 60_000
    assert asked(consented(), listed={"opt_out:email": before}) is None
    assert asked(consented(address=ADDRESS), listed={"opt_out:email": before}) is None
    assert asked(consented(), listed={"opt_out:email": after}) == "denied:ST-5"
    assert asked(consented(address="else@customer.example"), listed={"opt_out:email": before}) is not None
    assert asked(consented(scope="extra_calls"), listed={"opt_out:email": before}) is not None


def test_a_number_that_was_found_not_to_be_reassigned_is_no_longer_barred():
    checked = ContactPointChecked(**envelope("a1", 30), address=ADDRESS, result="not_reassigned")
    assert asked(blob_of(*known("a1"), checked), listed={"reassigned": NAMED}) is None
    assert asked(blob_of(*known("a1"), checked), listed={"wrong_party": NAMED}) == "denied:ST-4"


def test_the_confirmation_of_an_opt_out_passes_it_and_nothing_else():
    listed = {"opt_out:email": NOON}
    assert asked(blob_of(*known("a1")), listed=listed, purpose="opt_out_confirmation") is None
    assert asked(blob_of(*known("a1")), listed={"wrong_party": NOON}, purpose="opt_out_confirmation") is not None


def test_an_opt_out_is_confirmed_where_it_came_from_also_when_nobody_knows_the_number():
    number: dict[str, Any] = {"channel": "sms", "address": "+447700900123"}
    opted_out = blob_of(*known("a1"), OptOutReceived(**envelope("a1", 9), **number))
    assert asked(opted_out, purpose="opt_out_confirmation", **number) is None
    assert asked(opted_out, purpose="collection", **number) is not None


def test_what_is_listed_bars_a_contact_that_a_gate_would_let_through():
    class Open(RuleGate):
        def judge(self, situation: Situation) -> Verdict:
            return ALLOWED

    found = inspect(requested("a1"), TENANTS, Open(), NOON, Looked(blob_of(*known("a1")), {"wrong_party": NOON}))
    assert found == "suppressed:wrong_party"
