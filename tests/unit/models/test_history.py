"""A snapshot of history is the live code's row of exactly what had arrived by then."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account.course import Course
from models.account.standing import standing_of
from models.account.state import Facts
from models.actions.schedule import Plan
from models.calendar import DAY, HOUR, instant, utc
from models.features.catalogue import NAMES
from models.features.history import (
    AFTER_THE_END,
    NOT_OVERDUE,
    SETTLED_AT_ONCE,
    Arrival,
    History,
    Snapshot,
)
from models.features.rows import focus_of, matrix, observe
from models.propensity.examples import Moment, Target
from schemas.actions import NextBestAction
from schemas.envelope import Event
from tests.unit.models.events import account, day, envelope, issued, paid, tenant, voided
from tests.unit.models.strategies import money_events, numbered

ISSUE, OVERDUE = Moment("issue"), Moment("overdue")
BY_DUE, IN_A_MONTH = Target("paid_by_due"), Target("paid_within", 30)
UTC_PLAN = Plan(tenant(time_zone="UTC"))
"""Contact hours from 08:00."""


def at(number: float) -> int:
    return instant(day(number))


def arrived(events: Sequence[Event]) -> list[Arrival]:
    """Each known at once."""
    return [Arrival(instant(event.occurred_at), event) for event in events]


def shots(
    arrivals: Sequence[Arrival],
    moment: Moment,
    *,
    target: Target = IN_A_MONTH,
    until: float = 100,
    left_out: Any = None,
) -> list[Snapshot]:
    counts = Counter() if left_out is None else left_out
    return list(History(arrivals, UTC_PLAN, at(until), counts).snapshots(moment, target))


def value(snapshot: Snapshot, name: str) -> float:
    return float(matrix([snapshot.row])[0, NAMES.index(name)])


def test_at_issue_there_is_a_row_for_each_invoice_about_that_invoice():
    found = shots(arrived([issued("i1", 100_00), issued("i2", 50_00), issued("i3", 20_00, at=3)]), ISSUE)
    assert [(shot.invoice_id, shot.at, value(shot, "amount")) for shot in found] == [
        ("i1", at(0), 100.0),
        ("i2", at(0), 50.0),
        ("i3", at(3), 20.0),
    ]
    # What arrived in the same instant is known, whichever of them the row is about.
    assert [value(shot, "open_invoices") for shot in found] == [2, 2, 3]


def test_whether_it_is_paid_by_its_due_date_is_asked_of_an_invoice_that_is_not_overdue():
    arrivals = arrived([issued("old", due=10), issued("new", due=40)])
    asked = {target: [s.invoice_id for s in shots(arrivals, Moment("every", 7), target=target, until=30)]
             for target in (BY_DUE, IN_A_MONTH)}  # fmt: skip
    assert asked == {BY_DUE: ["old", "old", "new", "new", "new"], IN_A_MONTH: ["old"] * 5}


def test_a_back_dated_payment_is_not_known_before_it_arrives():
    late = Arrival(at(9), paid("p1", 100_00, at=1, on={"i1": 100_00}))
    found = shots([*arrived([issued("i1"), issued("i2", at=5)]), late, *arrived([issued("i3", at=10)])], ISSUE)
    assert [value(shot, "open_invoices") for shot in found] == [1, 2, 2]
    assert [value(shot, "closed_invoices") for shot in found] == [0, 0, 1]


def test_an_invoice_that_is_settled_when_it_arrives_makes_no_row_and_is_counted():
    left_out: Counter[str] = Counter()
    assert shots(arrived([paid("p1", 100_00, at=0), issued("i1", at=1)]), ISSUE, left_out=left_out) == []
    assert left_out == {SETTLED_AT_ONCE: 1}


def test_a_repeated_invoice_makes_one_row():
    assert len(shots(arrived([issued("i1"), issued("i1", at=2)]), ISSUE)) == 1


def test_overdue_is_when_the_contact_hours_of_the_day_after_begin():
    events = [issued("i1", due=14.5), issued("i2", due=20), paid("p1", 100_00, at=15.4, on={"i1": 100_00})]
    left_out: Counter[str] = Counter()
    (first, second) = shots(arrived(events), OVERDUE, left_out=left_out)
    assert (first.invoice_id, first.at) == ("i1", at(15) + 8 * HOUR)  # eight hours after midnight, before it is paid
    assert value(first, "overdue_invoices") == 1
    assert (second.invoice_id, second.at) == ("i2", at(21) + 8 * HOUR)
    assert not left_out


def test_what_is_paid_or_lies_ahead_does_not_become_overdue_and_is_counted():
    events = [issued("i1"), issued("i2"), issued("i3", due=40), voided("i2", at=3)]
    left_out: Counter[str] = Counter()
    payment = paid("p1", 100_00, at=14, on={"i1": 100_00})
    assert shots(arrived([*events, payment]), OVERDUE, until=30, left_out=left_out) == []
    assert left_out == {NOT_OVERDUE: 2, AFTER_THE_END: 1}


def test_an_invoice_that_arrives_overdue_is_so_at_once():
    (shot,) = shots([Arrival(at(50), issued("i1", due=14))], OVERDUE)
    assert shot.at == at(50)


def test_every_week_while_anything_is_open_about_the_oldest_due():
    events = [issued("i1", at=0.1, due=30), issued("i2", at=1, due=9), paid("p1", 200_00, at=20), issued("i3", at=50)]
    found = shots(arrived(events), Moment("every", 7), until=60)
    opening = 8 * HOUR
    assert [(shot.invoice_id, shot.at) for shot in found] == [
        ("i1", at(0) + opening),
        ("i2", at(7) + opening),
        ("i2", at(14) + opening),
        ("i3", at(56) + opening),
    ]


def test_days_are_those_of_the_tenant():
    plan = Plan(tenant(time_zone="America/New_York"))
    (shot,) = History(arrived([issued("i1", due=14)]), plan, at(100), Counter()).snapshots(OVERDUE, IN_A_MONTH)
    # Due at midnight UTC is the evening of the 13th day in New York, where summer time has begun (UTC-4).
    assert shot.at == at(14) + 12 * HOUR


def test_our_own_decisions_make_the_course():
    def decision(number: int, when: float) -> NextBestAction:
        return NextBestAction(
            **envelope(when),
            decision_id=f"d{number}",
            decision_no=number,
            trigger="event",
            action="wait",
            policy="test",
            model="baseline@1",
            score=0.5,
            arm="policy",
            reasons=(),
            actions=(),
        )

    history = History(arrived([issued("i1"), decision(1, 0), decision(2, 5)]), UTC_PLAN, at(9), Counter())
    history.fold_until(at(4))
    assert history.course.decision_no == 1
    history.fold_until(at(9))
    assert history.course.decision_no == 2


def test_the_segment_is_the_one_that_was_known():
    events = [account(0, segment="retail"), issued("i1", at=1), account(2, segment="key"), issued("i2", at=3)]
    assert [shot.segment for shot in shots(arrived(events), ISSUE)] == ["retail", "key"]


@st.composite
def stories(draw: st.DrawFn) -> list[Arrival]:
    """Events in the order of an arrival that has little to do with when they occurred."""
    events = numbered(draw(st.lists(money_events(), max_size=14)))
    delays = draw(st.lists(st.integers(0, 30), min_size=len(events), max_size=len(events)))
    arrivals = [
        Arrival(instant(event.occurred_at) + delay * DAY, event) for event, delay in zip(events, delays, strict=True)
    ]
    return sorted(arrivals, key=lambda arrival: arrival.at)


MOMENTS = st.sampled_from([ISSUE, OVERDUE, Moment("every", 5)])


@given(stories(), MOMENTS, st.integers(0, 70))
def test_what_arrives_later_changes_no_earlier_row(arrivals, moment, now):
    whole = [shot for shot in shots(arrivals, moment) if shot.at <= at(now)]
    prefix = [arrival for arrival in arrivals if arrival.at <= at(now)]
    assert shots(prefix, moment, until=now) == whole


@given(stories(), MOMENTS, st.sampled_from([BY_DUE, IN_A_MONTH]))
def test_a_row_is_what_the_live_code_sees_after_the_events_that_had_arrived(arrivals, moment, target):
    for shot in shots(arrivals, moment, target=target):
        facts = Facts()
        for arrival in arrivals:
            if arrival.at <= shot.at:
                facts.apply(arrival.event)
        standing = standing_of(facts, shot.at, UTC_PLAN.today(shot.at).overdue_before)
        focus = next(named for named in standing.open if named[1] == shot.invoice_id)
        assert shot.row == observe(facts, Course(), standing, focus, shot.at, UTC_PLAN.zone)
        asked = focus_of(standing, str(moment), target.name)
        if moment.name == "every":
            assert focus == asked
        elif moment.name == "overdue" and target is IN_A_MONTH and shot.at == became_overdue(focus[0]):
            assert asked is not None
            assert asked[2].due // DAY == focus[2].due // DAY, "of several that became overdue together, the last"


def became_overdue(due: int) -> int:
    """When an invoice is found overdue that is known by then; one that comes later is found when it comes."""
    return UTC_PLAN.opening(UTC_PLAN.zone.day(due) + 1)


@given(stories(), MOMENTS)
def test_rows_come_in_the_order_of_time_and_are_never_of_the_future(arrivals, moment):
    found = [shot.at for shot in shots(arrivals, moment, until=40)]
    assert found == sorted(found)
    assert all(arrivals[0].at <= moment_at <= at(40) for moment_at in found)


@pytest.mark.parametrize("moment", [ISSUE, OVERDUE, Moment("every", 7)])
def test_nothing_makes_no_rows(moment):
    assert shots([], moment) == []


def test_rows_make_a_matrix_with_a_column_for_each_feature():
    found = shots(arrived([issued("i1"), issued("i2", at=4)]), ISSUE)
    x = matrix([shot.row for shot in found])
    assert x.shape == (2, len(NAMES))
    assert np.isfinite(x[:, NAMES.index("amount")]).all()
    assert utc(found[1].at) == day(4)
