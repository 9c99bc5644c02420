"""Batches through fold, score and decide, as the decide job runs them."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.account.course import Course
from models.account.state import decode
from models.calendar import HOUR, instant
from models.core import Work, rebuild_state, step
from schemas.control import Limits, Strategy
from schemas.crm import DisputeOpened, DisputeResolved, HoldPlaced
from schemas.envelope import Hours
from schemas.payments import AccountBalanceAsserted
from tests.unit.models.events import (
    account,
    adjusted,
    day,
    envelope,
    issued,
    paid,
    point,
    reversed_,
    sent,
    tenant,
    voided,
    written_off,
)
from tests.unit.models.life import KEY, NINE, Life
from tests.unit.models.strategies import CRM_EVENTS, INTERACTION_EVENTS, money_events, numbered


def test_steps_follow_the_due_date_each_once_and_end_with_a_person():
    life = Life()
    life.take(0, point(), issued("a", due=14))
    life.live_until(400)
    assert [name for name, _ in life.taken] == ["reminder", "first", "second", "person"]
    # Due on March 16 at midnight UTC, which is the 15th in New York; steps begin at eight there, by then summer time.
    assert [round(at - 0.5) for _, at in life.taken] == [10, 14, 20, 43]
    assert len(life.said("ContactRequested")) == 3
    assert [event.invoice_id for event in life.said("InvoiceOverdue")] == ["a"]
    assert len(life.said("AccountEscalated")) == 1
    assert [decision.decision_no for decision in life.decisions] == list(range(1, len(life.decisions) + 1))
    assert life.review is None


def test_a_contact_says_what_is_owed():
    life = Life()
    life.take(
        0,
        account(name="Ada", language="en"),
        point(),
        issued("a", 12_34, due=1),
        issued("b", 1_00, due=1, currency="EUR"),
    )
    life.live_until(3)
    request = life.said("ContactRequested")[0]
    assert request.variables["amount"] == "12.34 USD, 1.00 EUR"
    assert request.variables["name"] == "Ada"
    assert request.language == "en"
    assert request.address == "a1@example.com"
    assert request.invoice_ids == ("a", "b")
    assert request.idempotency_key == request.contact_id
    assert request.not_before < request.expires_at


def test_of_several_steps_that_are_due_only_the_latest_is_taken():
    life = Life()
    life.take(30 + NINE, point(), issued("a", due=20))
    assert [name for name, _ in life.taken] == ["second"]
    life.live_until(400)
    assert [name for name, _ in life.taken] == ["second", "person"]


def test_one_contact_covers_what_is_due_by_then():
    life = Life()
    life.take(30 + NINE, point(), issued("old", due=20), issued("new", due=28), issued("future", due=60))
    assert life.decisions[-1].invoice_ids == ("old", "new")


def test_a_payment_ends_the_chase_and_cures_the_account():
    life = Life()
    life.take(0, point(), issued("a", due=5))
    life.live_until(8)
    assert life.said("InvoiceOverdue")
    life.take(9, paid("p", 100_00, at=9))
    cured = life.said("AccountCured")
    assert len(cured) == 1
    assert cured[0].days_past_due == 4
    assert life.review is None
    life.live_until(400)
    life.take(10, account(10, segment="x"))
    assert len(life.said("AccountCured")) == 1


@pytest.mark.parametrize(
    ("before", "ending"),
    [
        ([], [paid("p", 100_00, at=9)]),
        ([], [paid("p", 60_00, at=9), paid("q", 40_00, at=9)]),
        ([issued("b", 100_00, due=4), paid("b", 100_00, on={"b": 100_00})], [adjusted("b", -100_00, at=9)]),
        ([], [adjusted("a", -100_00, at=9)]),
        ([], [paid("p", 99_00, at=9), adjusted("a", -1_00, at=9)]),
        ([], [voided("a", at=9)]),
        ([], [written_off("a", at=9)]),
        ([], [paid("p", 1_00, at=9), written_off("a", at=9)]),
        ([], [paid("p", 100_00, at=9), reversed_("unknown", 100_00, at=9)]),
        ([issued("b", 50_00, due=30)], [paid("p", 150_00, at=9, on={"b": 50_00})]),
        ([], [paid("p", 400_00, at=9)]),
    ],
    ids=[
        "paid",
        "paid in parts",
        "paid by credit on account",
        "credited",
        "paid and credited",
        "voided",
        "written off",
        "the rest written off",
        "paid and a payment reversed that nobody knows",
        "paid by what another invoice's payment left",
        "overpaid",
    ],
)
@pytest.mark.parametrize("live", [True, False], ids=["events", "a batch"])
def test_every_way_to_zero_clears_the_chase(before, ending, live):
    life = Life()
    life.take(0, point(), issued("a", due=5), *before)
    life.live_until(8)
    assert life.said("InvoiceOverdue")
    for events in [[event] for event in ending] if live else [ending]:
        life.take(9, *events)
    assert life.review is None
    assert (life.decisions[-1].action, life.decisions[-1].reasons) == ("wait", ("nothing_owed",))
    contacts = len(life.taken)
    life.take(40, account(40, segment="x"))
    life.live_until(400)
    assert len(life.said("AccountCured")) == 1
    assert len(life.taken) == contacts


def test_a_dispute_of_what_is_overdue_clears_the_chase_of_that_alone():
    life = Life()
    life.take(0, point(), issued("a", due=5), issued("b", due=6))
    life.live_until(8)
    life.take(8, DisputeOpened(**envelope(8), invoice_id="a"))
    assert life.review is not None
    life.live_until(400)
    after = [decision for decision in life.decisions if decision.occurred_at > day(8) and decision.action != "wait"]
    assert {decision.invoice_ids for decision in after} == {("b",)}
    assert life.said("AccountCured") == []


# Due on day 5 at midnight UTC, which is the day before in New York: steps on days 1.5, 5.5, 11.5 and 34.5.


def test_a_part_that_is_paid_after_the_due_day_gives_time_until_the_next_step():
    life = Life()
    life.take(0, point(), issued("a", due=5))
    life.live_until(9)
    life.take(9.8, paid("p", 40_00, at=9.8))
    assert life.decisions[-1].reasons == ("no_step_due",)
    life.live_until(400)
    assert [(name, int(at)) for name, at in life.taken] == [
        ("reminder", 1),
        ("first", 5),
        ("second", 16),
        ("person", 39),
    ]
    assert [request.variables["amount"] for request in life.said("ContactRequested")][-1] == "60.00 USD"


def test_a_part_that_is_paid_before_the_due_day_changes_no_step():
    life = Life()
    life.take(0, point(), issued("a", due=5), paid("p", 40_00, at=0))
    life.live_until(400)
    assert [(name, int(at)) for name, at in life.taken] == [
        ("reminder", 1),
        ("first", 5),
        ("second", 11),
        ("person", 34),
    ]


def test_each_part_gives_time_again_and_no_step_is_taken_twice_or_in_milder_words():
    life = Life()
    life.take(12, point(), issued("a", due=5))
    life.live_until(13)
    life.take(13.8, paid("p", 10_00, at=13.8))
    life.live_until(30)
    life.take(30.8, paid("q", 10_00, at=30.8))
    life.live_until(400)
    assert [(name, int(at)) for name, at in life.taken] == [("second", 12), ("person", 60)]


def test_a_part_that_goes_back_takes_the_time_with_it():
    life = Life()
    life.take(0, point(), issued("a", due=5))
    life.live_until(9)
    life.take(9.8, paid("p", 40_00, at=9.8))
    life.take(12.8, reversed_("p", 40_00, at=12.8))
    assert life.taken[-1] == ("second", 12.8)


def test_a_step_that_was_missed_is_not_made_up_for_on_the_day_of_a_part():
    life = Life()
    life.take(0, issued("a", due=5))
    life.live_until(7)
    life.take(8.8, point(at=8), paid("p", 40_00, at=8.8))
    life.live_until(400)
    assert [(name, int(at)) for name, at in life.taken] == [("first", 9), ("second", 15), ("person", 38)]


def test_an_account_that_is_only_folded_is_looked_at_when_the_next_step_after_a_part_is_due():
    life = Life(tenant(live_since=None))
    life.take(0, point(), issued("a", due=5))
    life.take(9.8, paid("p", 40_00, at=9.8))
    assert life.review == instant(day(10.5))


def test_a_reversal_resumes_the_chase_where_it_was_without_repeating_a_step():
    life = Life()
    life.take(0, point(), issued("a", due=5))
    life.live_until(7)
    before = life.taken
    life.take(7, paid("p", 100_00, at=7))
    life.take(8, reversed_("p", 100_00, at=8))
    life.live_until(400)
    names = [name for name, _ in life.taken]
    assert life.taken[: len(before)] == before
    assert names == ["reminder", "first", "second", "person"]


def test_a_disputed_invoice_is_left_out_while_the_rest_is_chased():
    life = Life()
    life.take(0, point(), issued("a", due=5), issued("b", due=6), DisputeOpened(**envelope(0), invoice_id="a"))
    life.live_until(20)
    contacted = [decision for decision in life.decisions if decision.action == "contact"]
    assert contacted
    assert all(decision.invoice_ids == ("b",) for decision in contacted)
    life.take(21 + NINE, DisputeResolved(**envelope(21), invoice_id="a", outcome="verified"))
    assert life.decisions[-1].invoice_ids == ("a", "b")


def test_when_everything_is_disputed_nothing_is_done():
    life = Life()
    life.take(0, point(), issued("a", due=5), DisputeOpened(**envelope(0)))
    life.live_until(400)
    assert life.taken == []
    assert {decision.reasons for decision in life.decisions} == {("nothing_may_be_chased",)}
    assert life.said("InvoiceOverdue"), "it is overdue all the same"


def test_a_denied_step_is_taken_when_it_is_allowed():
    life = Life()
    life.take(0, point(), issued("a", due=5), HoldPlaced(**envelope(0), hold_id="h", until=day(9.6)))
    life.live_until(400)
    assert life.taken[0] == ("first", 9.6)
    denied = [decision for decision in life.decisions if decision.reasons[0] == "step_denied"]
    assert denied
    assert denied[-1].actions[1].denied_by == ("ST-6",)
    assert denied[-1].actions[1].next_allowed_at == day(9.6)
    assert denied[-1].actions[0].probability == 1.0


def test_a_step_denied_at_night_waits_for_the_morning():
    life = Life()
    life.take(30 + 5 / 24, point(), account(time_zones=("America/Los_Angeles",)), issued("a", due=20))
    assert life.taken == []
    assert life.review == instant(day(30)) + 15 * HOUR  # eight in Los Angeles, where summer time has begun
    life.live_until(31)
    assert [name for name, _ in life.taken] == ["second"]


def test_the_probabilities_of_a_decision_add_up_to_one():
    life = Life()
    life.take(0, point(), issued("a", due=14))
    life.live_until(400)
    for decision in life.decisions:
        assert sum(candidate.probability for candidate in decision.actions) == 1.0
        chosen = [c for c in decision.actions if c.probability == 1.0]
        assert [c.action for c in chosen] == [decision.action]
        assert chosen[0].allowed


def test_several_events_of_a_batch_lead_to_one_score_and_one_decision():
    life = Life()
    outcome = life.take(0, point(), issued("a"), account(0, country="US"), issued("b"))
    assert outcome.scored == 1
    assert outcome.applied == 4
    assert len(life.said("PropensityScored")) == len(life.decisions) == 1
    assert life.said("PropensityScored")[0].decision_id == life.decisions[0].decision_id


def test_the_score_is_the_smoothed_share_of_invoices_paid_on_time():
    life = Life()
    life.take(0, issued("a", due=5), issued("b", due=5))
    life.take(3, paid("p", 100_00, at=3, on={"a": 100_00}))
    life.take(9, paid("q", 100_00, at=9, on={"b": 100_00}))
    score = life.said("PropensityScored")[-1]
    assert score.probability == round((2 + 1) / (3 + 2), 6)
    assert score.expected_days == round((15 + 4) / (3 + 2), 6)
    assert life.said("PropensityScored")[0].probability == round(2 / 3, 6)


def test_duplicates_are_dropped_and_decide_nothing():
    life = Life()
    life.take(0, point(), issued("a"))
    before, decisions = life.blob, len(life.decisions)
    outcome = life.take(1, issued("a"))
    assert outcome.dropped == [["duplicate"]]
    assert outcome.applied == 0
    assert life.blob == before
    assert len(life.decisions) == decisions
    assert life.review == decode(before).course.review_at


def test_asserted_balances_that_differ_from_ours_are_counted():
    life = Life()
    asserted = [AccountBalanceAsserted(**envelope(1), amount_minor=cents, currency="USD") for cents in (100, 90, 80)]
    assert life.take(0, issued("a", 100)).mismatches == 0
    assert life.take(1, *asserted, asserted[-1]).mismatches == 2
    assert life.take(2, AccountBalanceAsserted(**envelope(2), amount_minor=1, currency="USD")).mismatches == 1


def test_a_refused_event_names_its_place_and_the_others_count():
    life = Life()
    outcome = life.take(0, issued("a"), paid("p", 1, on={"a": 1}, currency="EUR"), issued("b"))
    assert [(place, refusal.reason) for place, refusal in outcome.refused[0]] == [(1, "currency_mismatch")]
    assert outcome.applied == 2


def test_events_of_an_unknown_tenant_are_refused_and_nothing_is_stored():
    life = Life()
    life.tenants = {}
    outcome = life.take(0, issued("a"), issued("b"))
    assert [(place, refusal.reason) for place, refusal in outcome.refused[0]] == [
        (0, "unknown_tenant"),
        (1, "unknown_tenant"),
    ]
    assert outcome.states == [(KEY, b"")]
    assert outcome.messages == [[]]


# -- going live --------------------------------------------------------------------------------------------------------


def test_a_tenant_that_is_not_live_is_folded_and_never_decided_on():
    life = Life(tenant(live_since=None))
    life.take(0, point(), issued("a", due=14))
    assert life.review == instant(day(10)) + 12 * HOUR  # of the next step: eight in New York, in summer time
    life.live_until(400)
    assert life.decisions == []
    assert {topic for topic, _ in life.messages} == {"ledger-postings"}
    assert list(decode(life.blob).facts.payments.invoices) == ["a"]


def test_history_is_folded_and_never_decided_on():
    life = Life()
    life.take(0, point(history=True), msgspec.structs.replace(issued("a", due=14), history=True))
    assert life.decisions == []
    assert life.review == instant(day(10)) + 12 * HOUR
    life.live_until(11)
    assert [name for name, _ in life.taken] == ["reminder"]
    assert life.decisions[0].trigger == "review"


def test_one_piece_of_news_among_history_is_a_reason_to_decide():
    life = Life()
    life.take(0, msgspec.structs.replace(issued("a"), history=True), point())
    assert len(life.decisions) == 1
    assert life.decisions[0].trigger == "event"


def test_going_live_floods_nobody():
    life = Life(tenant(live_since=None))
    life.take(0, point(), issued("old", due=-60), issued("recent", due=18))
    life.live_until(19.9)
    life.tenants = {"acme": tenant(live_since=day(20))}
    life.live_until(400)
    assert [name for name, _ in life.taken] == ["second", "person"], "of the recent one, those still to come"
    assert all(at > 20 for _, at in life.taken)
    assert {event.invoice_id for event in life.said("InvoiceOverdue")} <= {"recent"}
    assert life.decisions[-1].invoice_ids[0] == "recent"


def test_what_was_long_over_when_the_tenant_went_live_is_left_to_people():
    life = Life(tenant(live_since=day(0)))
    life.take(NINE, point(), issued("old", due=-60))
    life.live_until(400)
    assert life.taken == []
    assert {decision.reasons for decision in life.decisions} == {("due_before_going_live",)}


def test_steps_before_the_day_of_going_live_are_skipped_and_later_ones_are_taken():
    life = Life(tenant(live_since=day(20)))
    life.take(20 + NINE, point(), issued("a", due=18))
    assert life.taken == []
    life.live_until(400)
    assert [name for name, _ in life.taken] == ["second", "person"]


def test_a_change_of_the_tenant_takes_effect_with_the_next_batch():
    life = Life()
    life.take(0, point(), issued("a", due=14))
    life.tenants = {"acme": tenant(strategy=Strategy(name="none"))}
    life.live_until(400)
    assert life.taken == []


# -- contacts that were planned ----------------------------------------------------------------------------------------

SPACED = Limits(contact_hours=(Hours(start="08:00", end="21:00"),), min_hours_between_contacts=72)


def test_a_planned_contact_keeps_the_next_one_away_before_its_report_comes():
    life = Life(tenant(limits=SPACED))
    life.take(30 + NINE, point(), issued("a", due=28), issued("b", due=29))
    assert len(life.said("ContactRequested")) == 1
    life.take(30 + NINE + 0.1, paid("p", 100_00, at=30.5, on={"a": 100_00}))
    assert len(life.said("ContactRequested")) == 1
    assert life.decisions[-1].actions[1].denied_by == ("tenant:min_hours_between_contacts",)


@pytest.mark.parametrize(("mode", "contacts"), [("live", 2), ("replay", 1)])
def test_live_a_contact_that_never_left_stops_counting_and_in_a_replay_the_plan_is_the_deed(mode, contacts):
    life = Life(tenant(limits=SPACED), mode)
    life.take(30 + NINE, point(), issued("a", due=28), issued("b", due=29))
    life.take(31 + NINE + 0.1, paid("p", 100_00, at=31.5, on={"a": 100_00}))
    assert len(life.said("ContactRequested")) == contacts


def test_a_contact_that_was_reported_is_not_counted_twice():
    life = Life(
        tenant(
            limits=Limits(contact_hours=SPACED.contact_hours, min_hours_between_contacts=0, max_contacts_per_7_days=2)
        )
    )
    life.take(30 + NINE, point(), issued("a", due=28), issued("b", due=29))
    request = life.said("ContactRequested")[0]
    life.take(30 + NINE + 0.01, sent(request.contact_id, at=30 + NINE + 0.005, address=request.address))
    life.take(30 + NINE + 0.1, paid("p", 100_00, at=30.5, on={"a": 100_00}))
    assert len(life.said("ContactRequested")) == 2


# -- the same bytes ----------------------------------------------------------------------------------------------------

stories = st.tuples(
    st.lists(money_events(), max_size=8), st.lists(CRM_EVENTS, max_size=4), st.lists(INTERACTION_EVENTS, max_size=4)
).map(lambda topics: numbered([event for topic in topics for event in topic]))


@settings(max_examples=50)
@given(stories)
def test_the_same_input_gives_the_same_bytes(events):
    one, two = Life(), Life()
    for life in (one, two):
        life.take(20 + NINE, *events)
        life.live_until(60)
    assert one.blob == two.blob
    assert one.messages == two.messages


@settings(max_examples=50)
@given(stories)
def test_a_rebuild_gives_the_same_bytes(events):
    life = Life()
    for place, event in enumerate(events):
        life.take(20 + place / 10, event)
    life.live_until(60)
    folded = rebuild_state(events, life.decisions)
    assert folded.blob == (life.blob or rebuild_state([], []).blob)
    if any(event.history for event in events):  # what it set a timer for, no decision tells
        assert life.review is None or (folded.review_at is not None and folded.review_at <= life.review)
    elif life.decisions:
        assert folded.review_at == life.review


@settings(max_examples=50)
@given(stories)
def test_no_step_is_taken_twice_for_an_invoice(events):
    life = Life()
    for place, event in enumerate(events):
        life.take(place, point(at=place), event)
    life.live_until(200)
    ruled = [(d.invoice_ids[0], d.step) for d in life.decisions if d.action != "wait" and d.invoice_ids]
    assert len(ruled) == len(set(ruled))
    overdue_chases = [e.invoice_id for e in life.said("InvoiceOverdue")]
    if not life.said("AccountCured"):
        assert len(overdue_chases) == len(set(overdue_chases))


def test_a_batch_of_many_accounts_gives_each_what_it_would_get_alone():
    works = []
    for number in range(50):
        events = [(point(), 0), (issued(f"i{number}", 100 + number, due=number), 1)]
        works.append(
            Work(
                key=f"acme|b{number}",
                tenant_id="acme",
                account_id=f"b{number}",
                blob=None,
                events=events,
                now=instant(day(20 + NINE)),
            )
        )
    tenants = {"acme": tenant()}
    together = step(works, tenants, "live")
    for place, work in enumerate(works):
        alone = step([work], tenants, "live")
        assert together.states[place] == alone.states[0]
        assert together.messages[place] == alone.messages[0]
        assert together.reviews[place] == alone.reviews[0]
    assert together.scored == 50
    assert sum(together.decided.values()) == 50


def test_a_repeated_or_older_decision_does_not_change_the_course():
    life = Life()
    life.take(0, point(), issued("a", due=14))
    life.live_until(20)
    course = Course()
    for decision in life.decisions:
        course = course.after(decision)
    for decision in life.decisions:
        assert course.after(decision) is course
    assert course == decode(life.blob).course
