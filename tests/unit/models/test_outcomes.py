"""What came of an invoice: paid, unpaid, something that is neither, or too early to say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account.state import Facts
from models.calendar import Zone, instant
from models.features.outcomes import (
    CREDITED,
    DISPUTED,
    PAID,
    WITHDRAWN,
    Change,
    days_to_pay,
    horizon_end,
    outcome_of,
    timelines,
)
from models.propensity.examples import Target
from schemas.crm import DebtPlaced, DebtRecalled, DisputeOpened, DisputeResolved
from tests.unit.models.events import adjusted, day, envelope, issued, paid, reversed_, voided, written_off
from tests.unit.models.strategies import money_events, numbered


def at(number: float) -> int:
    return instant(day(number))


def disputed(when: float, name: str | None = "i1") -> Any:
    return DisputeOpened(**envelope(when), invoice_id=name, dispute_id="d1")


def resolved(when: float, outcome: Any = "verified") -> Any:
    return DisputeResolved(**envelope(when), dispute_id="d1", outcome=outcome)


def recalled(when: float, debt: str) -> Any:
    return DebtRecalled(**envelope(when), debt_id=debt)


def placed(when: float, debt: str) -> Any:
    return DebtPlaced(**envelope(when), debt_id=debt, collector_role="third_party", debt_class="consumer")


def story(*events: Any, name: str = "i1") -> list[tuple[float, str]]:
    """The states of an invoice, in days."""
    zero = at(0)
    return [((change.at - zero) / 86_400_000, change.state) for change in timelines(events).get(name, [])]


ISSUED = issued("i1")
WHOLE = {"i1": 100_00}


@pytest.mark.parametrize(
    ("events", "states"),
    [
        ([ISSUED], [(0, "open")]),
        ([ISSUED, paid("p", 100_00, at=5, on=WHOLE)], [(0, "open"), (5, PAID)]),
        ([ISSUED, paid("p", 60_00, at=5)], [(0, "open")]),
        ([ISSUED, paid("p", 60_00, at=5), paid("q", 40_00, at=7)], [(0, "open"), (7, PAID)]),
        ([ISSUED, paid("p", 100_00, at=5), reversed_("p", 100_00, at=8)], [(0, "open"), (5, PAID), (8, "open")]),
        ([paid("p", 100_00, at=-3), ISSUED], [(0, PAID)]),
        ([ISSUED, voided("i1", at=4)], [(0, "open"), (4, "voided")]),
        ([ISSUED, paid("p", 100_00, at=2), voided("i1", at=4)], [(0, "open"), (2, PAID), (4, "voided")]),
        ([ISSUED, adjusted("i1", -100_00, at=4)], [(0, "open"), (4, CREDITED)]),
        ([ISSUED, paid("p", 98_00, at=3), adjusted("i1", -2_00, at=4)], [(0, "open"), (4, PAID)]),
        ([ISSUED, written_off("i1", at=90)], [(0, "open"), (90, "written_off")]),
        ([ISSUED, disputed(3), resolved(9)], [(0, "open"), (3, DISPUTED), (9, "open")]),
        ([ISSUED, disputed(3), paid("p", 100_00, at=5), resolved(9)], [(0, "open"), (3, DISPUTED), (5, PAID)]),
        ([ISSUED, disputed(3, "other")], [(0, "open")]),
        ([disputed(-3), ISSUED], [(0, DISPUTED)]),
        ([issued("i1", debt_id="x"), recalled(6, "x"), placed(8, "x")], [(0, "open"), (6, WITHDRAWN), (8, "open")]),
        ([issued("i1", debt_id="x"), recalled(6, "y")], [(0, "open")]),
    ],
)
def test_the_timeline_tells_every_turn(events, states):
    assert story(*events) == states
    assert story(*reversed(events)) == states  # what counts is when it happened


def test_many_invoices_that_one_payment_closes_are_all_paid():
    names = [f"i{number}" for number in range(20)]
    events = [*(issued(name, 1_00) for name in names), paid("p", 20_00, at=3)]
    assert {tuple(story(*events, name=name)) for name in names} == {((0, "open"), (3, PAID))}


@given(st.lists(money_events(), max_size=14))
def test_what_is_open_in_the_end_is_what_the_account_says(events):
    events = sorted(numbered(events), key=lambda event: (event.occurred_at, "due_at" not in event.__struct_fields__))
    facts = Facts()
    for event in events:
        facts.apply(event)
    open_now = {name for name, invoice in facts.payments.invoices.items() if invoice.known}
    assert {name for name, turns in timelines(events).items() if turns[-1].state == "open"} == open_now


PAID_ON_10 = [Change(0, "open"), Change(10, PAID)]
REVERSED = [*PAID_ON_10, Change(20, "open")]


@pytest.mark.parametrize(
    ("timeline", "end", "outcome"),
    [
        (PAID_ON_10, 9, "unpaid"),
        (PAID_ON_10, 10, "paid"),
        (PAID_ON_10, 100, "paid"),
        (PAID_ON_10, 101, "unmatured"),
        ([Change(0, "open")], 100, "unpaid"),
        (REVERSED, 19, "paid"),
        (REVERSED, 20, "unpaid"),
        ([Change(0, "open"), Change(7, "voided")], 6, "unpaid"),
        ([Change(0, "open"), Change(7, "voided")], 7, "competing"),
        ([Change(0, "open"), Change(7, CREDITED)], 30, "competing"),
        ([Change(0, "open"), Change(7, "written_off")], 30, "competing"),
        ([Change(0, "open"), Change(7, DISPUTED), Change(9, "open")], 30, "competing"),
        ([Change(0, "open"), Change(7, DISPUTED), Change(9, PAID)], 30, "paid"),
        ([Change(0, "open"), Change(2, DISPUTED), Change(3, "open")], 30, "unpaid"),  # over before the row
        ([Change(0, DISPUTED)], 30, "competing"),
        ([], 30, "competing"),
    ],
)
def test_the_outcome_is_what_holds_at_the_horizon(timeline, end, outcome):
    assert outcome_of(timeline, at=5, end=end, data_end=100) == outcome


DAY = 86_400_000


@pytest.mark.parametrize(
    ("timeline", "days", "was_paid"),
    [
        ([Change(0, "open"), Change(10 * DAY, PAID)], 8.0, True),
        ([Change(0, PAID)], 0.0, True),
        ([Change(0, "open")], 98.0, False),
        ([Change(0, "open"), Change(10 * DAY, PAID), Change(20 * DAY, "open")], 98.0, False),
        ([Change(0, "open"), Change(10 * DAY, PAID), Change(20 * DAY, "open"), Change(30 * DAY, PAID)], 28.0, True),
        ([Change(0, "open"), Change(30 * DAY, "written_off")], 28.0, False),
    ],
)
def test_days_to_pay_are_until_it_was_paid_for_good_or_as_long_as_it_was_watched(timeline, days, was_paid):
    assert days_to_pay(timeline, 2 * DAY, 100 * DAY) == (days, was_paid)


def test_a_horizon_ends_with_the_due_date_of_the_tenant_or_so_many_days_after_the_row():
    berlin = Zone("Europe/Berlin")
    due = at(14)  # 01:00 in Berlin
    assert horizon_end(Target("paid_by_due"), at(0), due, berlin) == at(15) - 3_600_000 - 1
    assert horizon_end(Target("paid_within", 30), at(0.5), due, berlin) == at(30.5)
