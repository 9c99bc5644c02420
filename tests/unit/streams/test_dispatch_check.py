"""The last look before a contact leaves."""

import datetime as dt

import pytest

from models.account import state
from models.account.course import Planned
from models.compliance.house import HouseGate
from schemas.crm import ContactPointUpdated, HoldPlaced
from schemas.interactions import ContactFailed, ContactSent, OptOutReceived
from streams.dispatch.check import objection
from streams.dispatch.outcome import outcome_id
from tests.contact_world import ADDRESS, NOON, TENANT, TUESDAY_NOON, blob_of, envelope, known, requested, state_of

HOUR = 3_600_000
TENANTS = {"acme": TENANT}
GATE = HouseGate()


def asked(blob: bytes | None, at: int = NOON, **more):
    return objection(requested("a1", **more), blob, TENANTS, GATE, at)


def test_a_contact_that_nothing_bars_may_leave():
    assert asked(blob_of(*known("a1"))) is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (OptOutReceived(**envelope("a1", 5), channel="email"), "denied:RF-7"),
        (OptOutReceived(**envelope("a1", 5), channel="all"), "denied:RF-7"),
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


def test_it_does_not_leave_before_its_time_but_clocks_may_differ_a_little():
    assert asked(blob_of(*known("a1")), NOON - HOUR) == "too_early"
    assert asked(blob_of(*known("a1")), NOON - 1_000) is None


def test_an_account_that_nothing_is_known_of_is_not_contacted():
    assert asked(None) == "denied:no_contact_point"


def test_a_damaged_state_bars_the_contact():
    assert asked(b"\xc1nonsense") == "unreadable_state"


def test_a_tenant_that_was_withdrawn_contacts_nobody():
    assert objection(requested("a1"), blob_of(*known("a1")), {}, GATE, NOON) == "unknown_tenant"


def test_its_own_plan_does_not_count_against_it_but_an_earlier_one_does():
    planned = state_of(*known("a1"))
    own = Planned("a1-d1:contact", NOON, "email", "collection")
    planned.course.planned = [own]
    assert asked(state.encode(planned)) is None
    planned.course.planned = [Planned("a1-d0:contact", NOON - HOUR, "email", "collection"), own]
    assert asked(state.encode(planned)) == "denied:tenant:min_hours_between_contacts"


def test_an_outcome_has_one_id_for_each_key():
    assert outcome_id("k1") == outcome_id("k1")
    assert outcome_id("k1") != outcome_id("k2")
    assert len(outcome_id("k" * 200)) < 100
