"""Stories of invoices and money. Balances are in cents, positive = owed."""

from typing import Any

import pytest

from models.account.ledger import (
    AMOUNTS,
    CLOSED,
    SETTLED,
    Habits,
    balances,
    decode_invoice,
    encode,
    paid_day_of,
    recent_item,
    slack_of,
)
from models.account.outcome import APPLIED, DUPLICATE
from models.account.state import Facts
from models.calendar import DAY, instant
from schemas.decode import Refusal
from schemas.payments import (
    AccountBalanceAsserted,
    Instalment,
    PaymentFailed,
    PaymentPending,
    PaymentScheduled,
    PlanAccepted,
    PlanOffered,
)
from tests.unit.models.events import adjusted, day, envelope, issued, paid, reversed_, voided, written_off


def told(*events: Any) -> Facts:
    facts = Facts()
    for event in events:
        assert facts.apply(event) is APPLIED
    return facts


def open_of(facts: Facts) -> dict[str, int]:
    return {name: invoice.rest for name, invoice in facts.payments.invoices.items() if invoice.known}


def owed(facts: Facts, currency: str = "USD") -> int:
    return balances(facts.payments).get(currency, 0)


def test_a_payment_without_allocations_pays_the_oldest_due_first():
    facts = told(issued("late", 50, due=20), issued("early", 100, due=10), paid("p", 120))
    assert open_of(facts) == {"late": 30}


def test_a_payment_pays_what_it_names_and_keeps_the_rest_on_account():
    facts = told(issued("a", 100, due=10), issued("b", 60, due=20), paid("p", 150, on={"b": 60}))
    assert open_of(facts) == {"a": 10}
    facts = told(issued("b", 60), paid("p", 100, on={"b": 60}))
    assert owed(facts) == -40
    assert facts.payments.credits["p"].unused == 40


def test_credit_on_account_pays_the_next_invoice():
    facts = told(issued("a", 100), paid("p", 150), issued("b", 80, at=2))
    assert open_of(facts) == {"b": 30}
    assert owed(facts) == 30


def test_a_payment_waits_for_its_invoice():
    facts = told(paid("p", 100, at=1, on={"a": 100}))
    assert owed(facts) == -100
    facts.apply(issued("a", 100, at=0, due=5))
    assert open_of(facts) == {}
    assert (facts.payments.habits.closed, facts.payments.habits.late) == (1, 0)


def test_what_an_awaited_invoice_does_not_need_goes_on_account():
    facts = told(paid("p", 100, on={"a": 100}), issued("a", 70))
    assert owed(facts) == -30


def test_an_awaited_invoice_in_another_currency_gives_the_money_back():
    facts = told(paid("p", 100, on={"a": 100}, currency="EUR"), issued("a", 100, currency="USD"))
    assert balances(facts.payments) == {"USD": 100, "EUR": -100}


def test_a_payment_in_another_currency_than_its_invoice_is_refused_and_changes_nothing():
    facts = told(issued("a", 100))
    answer = facts.apply(paid("p", 100, on={"a": 100}, currency="EUR"))
    assert isinstance(answer, Refusal)
    assert answer.reason == "currency_mismatch"
    assert open_of(facts) == {"a": 100}
    assert balances(facts.payments) == {"USD": 100}


def test_allocations_beyond_the_amount_are_refused():
    facts = told(issued("a", 100))
    answer = facts.apply(paid("p", 50, on={"a": 100}))
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.field) == ("wrong_field", "allocations")


def test_money_of_one_currency_never_pays_another():
    facts = told(issued("usd", 100, currency="USD"), paid("p", 100, currency="EUR"))
    assert balances(facts.payments) == {"USD": 100, "EUR": -100}


def test_a_reversal_opens_again_what_the_payment_had_closed():
    facts = told(issued("a", 100, due=1), paid("p", 100, at=5, on={"a": 100}))
    assert (facts.payments.habits.closed, facts.payments.habits.late) == (1, 1)
    facts.apply(reversed_("p", 100, at=6))
    assert open_of(facts) == {"a": 100}
    assert (facts.payments.habits.closed, facts.payments.habits.late, facts.payments.habits.late_days) == (0, 0, 0)


def test_a_partial_reversal_takes_credit_first_then_the_invoice_paid_last():
    facts = told(issued("a", 100, due=1), issued("b", 100, due=2), paid("p", 220), reversed_("p", 50))
    assert open_of(facts) == {"b": 30}


def test_a_reversal_before_its_payment_is_subtracted_when_it_arrives():
    facts = told(issued("a", 100), reversed_("p", 100, at=3))
    assert owed(facts) == 200
    facts.apply(paid("p", 100, at=2, on={"a": 100}))
    assert open_of(facts) == {"a": 100}
    assert owed(facts) == 100


def test_a_credit_note_frees_what_was_paid_too_much():
    facts = told(issued("a", 100), paid("p", 80), adjusted("a", -50))
    assert open_of(facts) == {}
    assert owed(facts) == -30


def test_a_debit_note_opens_a_paid_invoice_again():
    facts = told(issued("a", 100), paid("p", 100), adjusted("a", 25))
    assert open_of(facts) == {"a": 25}
    assert facts.payments.habits.closed == 0


def test_a_void_gives_the_money_back():
    facts = told(issued("a", 100), paid("p", 60, on={"a": 60}), voided("a"), issued("b", 50, at=2))
    assert open_of(facts) == {}
    assert owed(facts) == -10


def test_a_void_before_its_invoice_is_remembered():
    facts = told(voided("a"), issued("a", 100))
    assert open_of(facts) == {}
    assert owed(facts) == 0


def test_a_write_off_ends_the_chase_and_says_nothing_about_habits():
    facts = told(issued("a", 100, due=1), paid("p", 30, at=4, on={"a": 30}), written_off("a", at=9))
    assert open_of(facts) == {}
    assert owed(facts) == 0
    assert facts.payments.habits.closed == 0
    assert facts.payments.habits.written_off == 1


def test_a_payment_on_a_written_off_invoice_leaves_other_invoices_alone():
    facts = told(issued("a", 100), written_off("a"), issued("b", 100), paid("p", 40, at=3, on={"a": 40}))
    assert open_of(facts) == {"b": 100}
    assert owed(facts) == 100


def test_a_write_off_of_a_paid_invoice_comes_too_late():
    facts = told(issued("a", 100), paid("p", 100))
    answer = facts.apply(written_off("a", at=5))
    assert answer is not APPLIED
    assert facts.payments.habits.closed == 1


@pytest.mark.parametrize(
    ("settled_at", "late"),
    [(9.9, 0), (10.99, 0), (11.0, 1), (14.5, 4)],
)
def test_lateness_counts_whole_days_after_the_due_day(settled_at, late):
    facts = told(issued("a", 100, due=10), paid("p", 100, at=settled_at))
    assert facts.payments.habits.late_days == late
    assert facts.payments.habits.late == (late > 0)


def test_habits_remember_how_early_or_late_each_invoice_was_paid():
    facts = told(
        issued("a", 100, at=0, due=10),
        issued("b", 300, at=0, due=12),
        paid("p", 100, at=4, on={"a": 100}),
        paid("q", 300, at=15, on={"b": 300}),
    )
    habits = facts.payments.habits
    assert (habits.closed, habits.issued, habits.first_at) == (2, 2, instant(day(0)))
    assert (habits.slack, habits.to_pay, habits.late_days) == (-6 + 3, 4 + 15, 3)
    assert [slack_of(item) for item in habits.recent] == [-6, 3]
    assert [paid_day_of(item) - instant(day(0)) // DAY for item in habits.recent] == [4, 15]
    assert habits.amounts == {"USD": (2, 400)}


def test_a_reversal_takes_the_invoice_out_of_the_habits():
    before = told(issued("a", 100, due=3)).payments.habits
    after = told(issued("a", 100, due=3), paid("p", 100, at=5), reversed_("p", 1, at=6)).payments.habits
    assert (after.payments, after.reversed) == (1, 1)
    after.payments = after.reversed = after.last_paid_at = 0
    assert after == before


def test_days_against_due_beyond_what_an_item_holds_are_cut_off():
    assert slack_of(recent_item(20_000 * DAY, -5_000)) == -2048
    assert slack_of(recent_item(20_000 * DAY, 5_000)) == 2047
    assert paid_day_of(recent_item(20_000 * DAY, 5_000)) == 20_000


def test_an_invoice_that_an_older_version_counted_takes_only_its_old_sums_back():
    facts = told(issued("a", 100, due=3), paid("p", 100, at=5))
    invoice = decode_invoice(facts.payments.closed["a"])
    invoice.counted = 0
    facts.payments.closed["a"] = encode(invoice)
    facts.payments.habits = Habits(closed=1, late=1, late_days=2, late_squares=4, payments=1)
    facts.apply(reversed_("p", 100, at=6))
    assert facts.payments.habits == Habits(payments=1, reversed=1)


def test_amounts_of_more_currencies_than_are_kept_are_left_out_and_never_fall_below_nothing():
    facts = Facts()
    currencies = ["USD", "EUR", "GBP", "JPY", "CHF", "SEK", "NOK", "DKK", "PLN"]
    for at, currency in enumerate(currencies):
        facts.apply(issued(currency, 100, at=at, currency=currency))
        facts.apply(paid(currency, 100, at=at, currency=currency))
    assert facts.payments.habits.amounts == dict.fromkeys(currencies[:AMOUNTS], (1, 100))
    for currency in reversed(currencies[1:]):  # the first is no longer remembered
        facts.apply(reversed_(currency, 100, at=9, reversal=currency, currency=currency))
    assert facts.payments.habits.amounts == {"USD": (1, 100)}


def test_a_payment_that_arrives_late_pays_the_invoice_that_was_issued_first():
    facts = told(issued("a", 100, at=4, due=9), issued("b", 100, at=3, due=9), paid("p", 100, at=2))
    assert open_of(facts) == {"a": 100}


def test_two_payments_that_swap_places_pay_as_if_they_had_not():
    in_order = told(issued("a", 100, due=3), issued("b", 100, due=4), paid("p", 100, at=1), paid("q", 100, at=9))
    swapped = told(issued("a", 100, due=3), issued("b", 100, due=4), paid("q", 100, at=9), paid("p", 100, at=1))
    assert in_order.payments.habits == swapped.payments.habits
    assert in_order.payments.habits.late == 1


def test_an_invoice_that_arrives_late_takes_the_place_that_its_date_gives_it():
    in_order = told(issued("a", 100, at=0, due=3), issued("b", 100, at=1, due=9), paid("p", 100, at=2))
    late = told(issued("b", 100, at=1, due=9), paid("p", 100, at=2), issued("a", 100, at=0, due=3))
    assert open_of(in_order) == open_of(late) == {"b": 100}


def test_a_named_payment_that_arrives_late_takes_precedence_over_later_money():
    in_order = told(
        issued("a", 100, due=3), issued("b", 100, due=9), paid("p", 100, at=1, on={"a": 100}), paid("q", 100, at=2)
    )
    late = told(
        issued("a", 100, due=3), issued("b", 100, due=9), paid("q", 100, at=2), paid("p", 100, at=1, on={"a": 100})
    )
    assert open_of(in_order) == open_of(late) == {}
    assert in_order.payments.habits == late.payments.habits


def test_a_late_duplicate_leaves_every_byte_as_it_was():
    facts = told(issued("a", 100, due=3), paid("p", 60, at=1), paid("q", 60, at=2))
    before = facts.encoded().payments
    again = Facts(facts.encoded())
    assert again.apply(paid("p", 60, at=1)) is DUPLICATE
    assert Facts(again.encoded()).encoded().payments == before
    assert encode(again.payments) == before


def test_ids_are_known_long_after_their_records_are_gone():
    facts = Facts()
    for number in range(3 * (CLOSED + SETTLED)):
        facts.apply(issued(f"i{number}", 100, at=number))
        facts.apply(paid(f"p{number}", 100, at=number, on={f"i{number}": 100}))
    assert len(facts.payments.closed) == CLOSED
    assert len(facts.payments.settled) == SETTLED
    assert facts.apply(issued("i0", 100)) is DUPLICATE
    assert facts.apply(paid("p0", 100)) is DUPLICATE
    assert facts.payments.habits.closed == 3 * (CLOSED + SETTLED)


def test_a_reversal_of_a_forgotten_payment_is_a_debit_on_account():
    facts = Facts()
    for number in range(3 * SETTLED):
        facts.apply(issued(f"i{number}", 100, at=number))
        facts.apply(paid(f"p{number}", 100, at=number, on={f"i{number}": 100}))
    assert owed(facts) == 0
    facts.apply(reversed_("p0", 100, at=99))
    assert owed(facts) == 100


def test_many_payments_on_account_are_merged_without_losing_a_cent():
    facts = Facts()
    for number in range(100):
        assert facts.apply(paid(f"p{number}", 1, at=number)) is APPLIED
    assert owed(facts) == -100
    assert len(facts.payments.credits) < 20
    facts.apply(issued("a", 250, at=200))
    assert open_of(facts) == {"a": 150}


def test_a_scheduled_payment_is_awaited_until_it_arrives():
    terms: dict[str, Any] = {"payment_id": "p", "amount_minor": 100, "currency": "USD"}
    facts = told(PaymentScheduled(**envelope(0), **terms, expected_at=day(3)), PaymentPending(**envelope(3), **terms))
    assert facts.payments.attempts["p"].status == "pending"
    facts.apply(paid("p", 100, at=4))
    assert facts.payments.attempts == {}


def test_an_older_report_about_a_payment_does_not_undo_a_newer_one():
    terms: dict[str, Any] = {"payment_id": "p", "amount_minor": 100, "currency": "USD"}
    facts = told(
        PaymentFailed(**envelope(5), **terms, code="insufficient_funds"), PaymentPending(**envelope(3), **terms)
    )
    assert facts.payments.attempts["p"].status == "failed"
    assert facts.payments.habits.failed == 1


def test_an_offer_that_arrives_after_its_acceptance_fills_in_the_terms():
    instalments = (
        Instalment(amount_minor=50, due_on=day(10).date()),
        Instalment(amount_minor=50, due_on=day(40).date()),
    )
    facts = told(
        PlanAccepted(**envelope(2), plan_id="x"),
        PlanOffered(**envelope(1), plan_id="x", currency="USD", instalments=instalments),
    )
    deal = facts.payments.deals["x"]
    assert (deal.status, deal.amount, deal.instalments) == ("accepted", 100, 2)


def test_an_asserted_balance_is_compared_and_not_taken_over():
    facts = told(issued("a", 100), AccountBalanceAsserted(**envelope(1), amount_minor=130, currency="USD"))
    assert owed(facts) == 100
    assert facts.payments.mismatches == 1
    assert facts.payments.claims["USD"].difference == 30
