"""Promises judged when their day has passed. Day 9 is March 11, which ends in New York on day 10 at four in UTC."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account.course import JUDGED
from models.account.ledger import SETTLED
from models.account.state import decode
from models.calendar import instant
from models.core import rebuild_state
from schemas.control import Strategy
from tests.unit.models.events import cancelled, day, issued, paid, promised, reversed_, tenant
from tests.unit.models.life import Life

END = 10 + 4 / 24
OPENING = instant(day(10.5))
"""Eight in New York on the day after, in summer time."""
NO_STEPS = tenant(strategy=Strategy(name="none"))


def life_of(*events: Any, until: float = 12) -> Life:
    life = Life(NO_STEPS)
    for event in sorted(events, key=lambda event: event.occurred_at):
        at = (event.occurred_at - day(0)) / dt.timedelta(days=1)
        life.live_until(at)
        life.take(at, event)
    life.live_until(until)
    return life


def judged(life: Life) -> dict[str, bool]:
    """Promise -> whether it was kept, as the decisions say."""
    kept = {name: True for decision in life.decisions for name in decision.promises_kept}
    return kept | {name: False for decision in life.decisions for name in decision.promises_broken}


def test_a_promise_is_judged_on_the_morning_after_its_day():
    life = Life(NO_STEPS)
    life.take(1, promised("x"))
    assert life.review == OPENING
    life.live_until(10.49)
    assert judged(life) == {}
    life.live_until(11)
    assert judged(life) == {"x": False}
    assert instant(life.decisions[-1].occurred_at) == OPENING
    assert life.review is None


def test_a_kept_promise_is_told_once():
    life = life_of(issued("a", due=1), promised("x", at=2), paid("p", 100_00, at=4), until=40)
    life.take(41, issued("b", at=41, due=90))
    told = life.said("PromiseKept")
    assert [(fact.promise_id, fact.amount_minor, fact.currency, fact.due_on) for fact in told] == [
        ("x", 100_00, "USD", day(9).date())
    ]
    assert told[0].event_id == f"{life.decisions[-2].decision_id}:promise:0"
    assert life.said("PromiseBroken") == []
    course = decode(life.blob).course
    assert (course.promises_kept, course.promises_broken, course.judged) == (1, 0, ["x"])


def test_a_broken_promise_says_what_has_come():
    life = life_of(issued("a", due=1), promised("x", at=2), paid("p", 30_00, at=4))
    assert [fact.paid_minor for fact in life.said("PromiseBroken")] == [30_00]
    assert decode(life.blob).course.promises_broken == 1


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ([paid("p", 60_00, at=3), paid("q", 40_00, at=END - 0.001)], True),
        ([paid("p", 60_00, at=3), paid("q", 39_99, at=4)], False),
        ([paid("p", 100_00, at=END)], False),
        ([paid("p", 100_00, at=1.9)], False),
        ([paid("p", 100_00, at=2)], True),
        ([paid("p", 100_00, at=3, currency="EUR")], False),
        ([paid("p", 100_00, at=3), reversed_("p", 1, at=5)], False),
        ([paid("p", 100_00, at=3), reversed_("p", 100_00, at=END + 0.01)], False),
        ([paid("p", 100_00, at=3), reversed_("p", 100_00, at=11)], True),
        ([paid("p", 100_00, at=3, on={"a": 80_00})], True),
        ([paid("old", 50_00, at=0.5), paid("p", 100_00, at=3), reversed_("old", 50_00, at=4)], True),
    ],
)
def test_what_counts_is_money_of_its_currency_between_the_promise_and_the_end_of_its_day(events, kept):
    life = life_of(issued("a", 80_00, due=1), issued("b", 500_00, due=30), promised("x", at=2), *events)
    assert judged(life) == {"x": kept}


@pytest.mark.parametrize(("at", "verdicts"), [(5, {}), (END - 0.001, {}), (END, {"x": False}), (11, {"x": False})])
def test_a_promise_that_is_taken_back_before_its_day_has_ended_is_not_judged(at, verdicts):
    assert judged(life_of(promised("x"), cancelled("x", at=at))) == verdicts


def test_a_promise_of_which_only_its_end_was_heard_or_that_was_made_too_late_is_not_judged():
    life = life_of(cancelled("x", at=1), promised("y", at=11, by=9), until=40)
    assert judged(life) == {}
    assert life.review is None


def test_promises_are_judged_each_in_its_turn_and_the_same_money_counts_for_both():
    life = life_of(issued("a", due=1), promised("y", 50_00, by=12), promised("x", by=9), paid("p", 100_00, at=3))
    assert judged(life) == {"x": True}
    assert life.review == instant(day(13.5))
    life.live_until(14)
    assert judged(life) == {"x": True, "y": True}


def test_several_that_are_judged_together_are_told_apart():
    life = Life(NO_STEPS)
    life.take(20, promised("x", at=1), promised("y", 1, at=1, by=8), paid("p", 5, at=2))
    decision = life.decisions[-1]
    assert (decision.promises_kept, decision.promises_broken) == (("y",), ("x",))
    facts = [*life.said("PromiseKept"), *life.said("PromiseBroken")]
    assert [fact.event_id.removeprefix(decision.decision_id) for fact in facts] == [":promise:0", ":promise:1"]


def test_what_was_promised_for_before_the_tenant_went_live_is_counted_and_not_told():
    life = Life(tenant(live_since=day(20), strategy=Strategy(name="none")))
    life.take(1, promised("x"), promised("y", by=22))
    assert life.review == OPENING
    life.live_until(19)
    assert life.review == instant(day(23.5)), "its day has passed, and nobody decides yet"
    assert life.decisions == []
    life.live_until(40)
    assert judged(life) == {"x": False, "y": False}
    assert [fact.promise_id for fact in life.said("PromiseBroken")] == ["y"]


def test_history_sets_the_review_and_is_judged_with_it():
    life = Life(NO_STEPS)
    life.take(1, promised("x", history=True))
    assert life.decisions == []
    assert life.review == OPENING
    life.live_until(11)
    assert judged(life) == {"x": False}


def test_a_promise_for_a_far_day_is_looked_at_once_a_year():
    life = Life(NO_STEPS)
    life.take(1, promised("x", by=60_000))
    assert life.review is not None
    assert instant(day(366)) < life.review < instant(day(369))


def test_money_beyond_what_is_remembered_by_name_no_longer_counts():
    events = [issued(f"i{number}", 1, at=3, due=4) for number in range(SETTLED + 1)]
    paid_each = [paid(f"p{number}", 1, at=3, on={f"i{number}": 1}) for number in range(SETTLED + 1)]
    life = Life(NO_STEPS)
    life.take(20, promised("all", SETTLED + 1, at=2), promised("kept", SETTLED, at=2), *events, *paid_each)
    assert judged(life) == {"all": False, "kept": True}


def test_the_course_remembers_a_bounded_number_of_promises_and_counts_all():
    life = Life(NO_STEPS)
    for number in range(JUDGED + 4):
        life.take(20 + number, promised(f"x{number}", at=1, by=10 + number))
    course = decode(life.blob).course
    assert course.promises_broken == JUDGED + 4
    assert course.judged == [f"x{number}" for number in range(4, JUDGED + 4)]


@given(
    st.lists(
        st.one_of(
            st.builds(
                promised, st.sampled_from("xyz"), st.integers(1, 200), at=st.integers(0, 9), by=st.integers(0, 20)
            ),
            st.builds(paid, st.sampled_from("pqr"), st.integers(1, 200), at=st.integers(0, 20)),
            st.builds(cancelled, st.sampled_from("xyz"), at=st.integers(0, 20)),
            st.builds(reversed_, st.sampled_from("pqr"), st.integers(1, 200), at=st.integers(0, 20)),
        ),
        max_size=10,
    )
)
def test_every_promise_is_judged_once_and_a_rebuild_agrees(events):
    life = life_of(*events, until=40)
    verdicts = [name for decision in life.decisions for name in decision.promises_kept + decision.promises_broken]
    assert len(verdicts) == len(set(verdicts))
    assert life.review is None
    folded = rebuild_state(sorted(events, key=lambda event: event.occurred_at), life.decisions)
    assert folded.blob == (life.blob or rebuild_state([], []).blob)
