"""The cash forecast: what it sees of a ledger, what it learns of payers, and how far it is off on a real one."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.forecast import ibm
from models.forecast.backtest import Backtest, backtest, naive_due, naive_mean, weekly_origins
from models.forecast.cash import COVERAGE, forecast
from models.forecast.ledger import Ledger, Numbers, exposures
from models.forecast.payers import Payers, learn

START = 20_000
"""Day number of the first invoices."""


def ledger(rows, moves) -> Ledger:
    """Rows of (account, opened, due, amount), moves of (invoice, day, paid, credited)."""
    account, opened, due, amount = (np.array(column) for column in zip(*rows, strict=True))
    invoice, day, paid, credited = (
        (np.array(column) for column in zip(*moves, strict=True)) if moves else (np.zeros(0, int) for _ in range(4))
    )
    numbers = np.float64
    return Ledger(account, opened, due, amount.astype(numbers), invoice, day, paid.astype(numbers),
                  credited.astype(numbers), day, paid.astype(numbers))  # fmt: skip


def portfolio(
    seed: int = 1, *, accounts: int = 60, days: int = 300, delays=(-10, 5, 25), spread: float = 4.0
) -> Ledger:
    """Accounts that each pay so many days after the due date, with some spread; an invoice every 30 days on average."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    moves = []
    for account in range(accounts):
        for _ in range(rng.poisson(days / 30)):
            opened = START + int(rng.integers(0, days))
            paid = max(opened, opened + 30 + round(rng.normal(delays[account % len(delays)], spread)))
            amount = int(rng.integers(50_00, 150_00))
            moves.append((len(rows), paid, amount, 0))
            rows.append((account, opened, opened + 30, amount))
    return ledger(rows, moves)


def test_nothing_of_a_later_day_is_known() -> None:
    whole = portfolio()
    at = START + 200
    known = whole.known_at(at)
    assert known.opened.max() < at
    assert known.day.max() < at
    assert known.cash_day.max() < at
    assert known.open_minor().sum() > 0


def test_a_forecast_does_not_change_with_what_comes_after_it() -> None:
    whole = portfolio()
    at = START + 200
    alone = forecast(whole.known_at(at), at)
    assert np.array_equal(forecast(whole, at).daily.expected, alone.daily.expected)


def test_a_payment_in_parts_and_a_credit_note_end_spells_of_exposure() -> None:
    # 100 open on day 0, 40 paid on day 3, 10 credited on day 5; day 10 is the present.
    watched = exposures(ledger([(0, 0, 30, 100)], [(0, 3, 40, 0), (0, 5, 0, 10)]), 10)
    spells = list(zip(watched.start, watched.stop, watched.share, watched.paid, strict=True))
    assert spells == [(0, 4, 1.0, 0.4), (4, 6, 0.6, 0.0), (6, 10, 0.5, 0.0)]


def test_money_that_came_back_opens_its_part_again() -> None:
    watched = exposures(ledger([(0, 0, 30, 100)], [(0, 3, 100, 0), (0, 5, -100, 0)]), 8)
    assert list(zip(watched.start, watched.stop, watched.share, strict=True)) == [(0, 4, 1.0), (6, 8, 1.0)]


def test_what_was_paid_before_the_invoice_counts_on_its_first_day() -> None:
    watched = exposures(ledger([(0, 5, 30, 100)], [(0, 2, 30, 0)]), 8)
    assert list(zip(watched.start, watched.stop, watched.paid, strict=True)) == [(5, 6, 0.3), (6, 8, 0.0)]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 100), st.integers(-20, 60)), max_size=15)
)
def test_exposed_money_is_what_was_open_on_every_day(moves) -> None:
    rows = [(0, 3, 30, 100), (0, 10, 30, 70), (1, 0, 30, 50)]
    whole = ledger(rows, moves)
    watched = exposures(whole, 40)
    for day in range(40):
        before = whole.known_at(day)  # movements of the day itself happen while it is exposed
        owed: dict[int, float] = {}
        for place, open_minor in zip(np.flatnonzero(whole.opened < day), before.open_minor(), strict=True):
            owed[int(place)] = open_minor
        owed |= {place: float(row[3]) for place, row in enumerate(rows) if row[1] == day}
        on = (watched.start <= day) & (day < watched.stop)
        assert (watched.share * watched.amount)[on].sum() == pytest.approx(sum(owed.values()))


def open_at(payers: Payers, past_due: int) -> Numbers:
    """(K,) Share of an invoice of 30 days that is open still."""
    issued, then = payers.open_still(np.array([-30, past_due])).T
    return np.asarray(np.exp(then - issued), dtype=np.float64)


def test_payers_are_told_apart_by_how_they_paid() -> None:
    whole = portfolio()
    at = START + 300
    payers = learn(whole.known_at(at), at, 60)
    late = payers.member @ open_at(payers, 15)
    assert late[0::3].mean() < 0.05
    assert late[1::3].mean() < 0.15
    assert late[2::3].mean() > 0.85


def test_an_account_without_invoices_is_an_average_payer() -> None:
    whole = portfolio()
    payers = learn(whole.known_at(START + 300), START + 300, 61)
    assert payers.member[60] == pytest.approx(payers.member[:60].mean(axis=0), abs=0.1)


def test_open_invoices_tell_that_customers_have_become_slow() -> None:
    """Whoever learned from paid invoices alone would think that all are paid early."""
    rows = [(0, START + day, START + day + 30, 100) for day in range(100)]
    moves = [(place, START + place + 5, 100, 0) for place in range(0, 100, 4)]  # the others are open still
    at = START + 100
    payers = learn(ledger(rows, moves).known_at(at), at, 1)
    assert open_at(payers, -20)[0] == pytest.approx(0.75, abs=0.08)


def test_expected_cash_is_open_and_new_and_no_more_than_is_there() -> None:
    whole = portfolio()
    at = START + 250
    found = forecast(whole, at, 30)
    assert found.daily.expected == pytest.approx(found.open_daily + found.new_daily)
    assert found.total.expected[0] == pytest.approx(found.daily.expected.sum())
    assert found.weekly.expected == pytest.approx(found.daily.expected[:28].reshape(4, 7).sum(axis=1))
    assert found.open_daily.sum() <= whole.known_at(at).open_minor().sum()
    assert (found.daily.low <= found.daily.expected).all()
    assert (found.daily.expected <= found.daily.high).all()


def test_what_went_onto_no_invoice_and_what_came_back_is_in_the_net_cash() -> None:
    whole = portfolio()
    at = START + 250
    half = msgspec.structs.replace(whole, cash=whole.cash / 2)
    ratio = forecast(half, at).total.expected[0] / forecast(whole, at).total.expected[0]
    assert ratio == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("days", [1, 5, 7, 30])
def test_a_portfolio_without_a_past_or_without_payments_has_a_forecast(days: int) -> None:
    nothing = ledger([(0, START, START + 30, 100)], [])
    assert forecast(nothing, START, days).total.expected[0] == 0.0
    later = forecast(nothing, START + 5, days)
    assert 0.0 <= later.total.low[0] <= later.total.expected[0] <= later.total.high[0]
    assert len(later.daily.expected) == days
    assert len(later.weekly.expected) == days // 7


def test_intervals_hold_as_many_weeks_as_they_say() -> None:
    within = []
    for seed in range(2):
        whole = portfolio(seed, days=330)
        within.append(backtest(whole, weekly_origins(START + 150, START + 330, 4), 4).coverage()[-1])
    assert COVERAGE - 0.06 < np.mean(within) < COVERAGE + 0.12


def test_naive_forecasts_are_what_they_say() -> None:
    whole = ledger([(0, 0, 3, 10), (0, 0, 8, 20), (0, 0, 20, 30)], [(2, 1, 30, 0)])
    assert list(naive_due(whole, 6, 3)) == [10 + 20, 0, 0]  # the overdue one at once
    assert naive_mean(whole, 14, 2) == 15.0


def test_weeks_without_cash_have_no_error_and_the_others_keep_theirs() -> None:
    cash = np.array([[10.0, 0.0]] * 5 + [[0.0, 0.0]] * 40)
    found = Backtest(
        origins=tuple(range(45)),
        cash=cash,
        expected=cash + 1,
        low=cash,
        high=cash,
        mean=cash + 2,
        due=cash,
        totals=cash,
    )
    first, second, every = found.wape(found.expected)
    assert (first, every) == (45 / 50, 90 / 50)
    assert np.isnan(second)
    lower, low, high = found.gain(found.mean)
    assert lower == 90 / 50
    assert np.isnan([low, high]).all()  # some draw holds no cash


def test_customers_who_pay_when_they_always_do_are_foreseen_better_than_by_either_naive_forecast() -> None:
    whole = portfolio(3, accounts=30, days=400, spread=2.0)
    found = backtest(whole, weekly_origins(START + 200, START + 400, 4), 4)
    ours, mean, due = (found.wape(values)[-1] for values in (found.expected, found.mean, found.due))
    assert ours < 0.8 * mean
    assert ours < 0.5 * due


def test_on_the_real_ledger_it_beats_both_naive_forecasts() -> None:
    try:
        whole = ibm.ledger()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    _, middle, end = ibm.halves(whole)
    found = backtest(whole, weekly_origins(middle, end, 4), 4)
    ours, mean, due = (found.wape(values)[-1] for values in (found.expected, found.mean, found.due))
    assert len(found.origins) == 47
    assert ours < 0.155
    assert ours < mean - 0.01
    assert ours < due - 0.05
    assert found.coverage()[-1] == pytest.approx(COVERAGE, abs=0.06)
