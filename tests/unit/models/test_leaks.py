"""Leaks are found in every disguise; what is honestly known is left alone."""

import numpy as np
import pytest

from models.propensity.leaks import find_leaks
from tests.unit.models.paid_ledgers import DAY, EPOCH, ibm, made_up, paid_ledger

LEDGERS = {"ibm": lambda: ibm()[0], "made up": made_up}


def columns_from_payment(rows):
    """What somebody might add who does not think of time; all of it is worked out from the day of payment."""
    rng = np.random.default_rng(1)
    issued, due, settled = (
        np.array([np.nan if row[k] is None else row[k] for row in rows], dtype=np.float64) for k in (1, 2, 3)
    )
    late, took = np.maximum(0.0, settled - due), settled - issued
    days = np.where(np.isnan(settled), 0, settled).astype(np.int64).astype("datetime64[D]")
    written = np.array([float(str(day).replace("-", "")) for day in days])
    known = ~np.isnan(settled)

    def noise(days):
        return rng.normal(0.0, days, len(rows))

    return {
        "days late": late,
        "days to pay": took,
        "day of payment": settled,
        "instant of payment": settled * DAY,
        "ordinal day of payment": settled + EPOCH,
        "day of payment written 20130131": np.where(known, written, np.nan),
        "logarithm of days late": np.log1p(late),
        "logarithm of days to pay": np.log1p(took),
        "days late, a day off": late + noise(1),
        "days late, two days off": late + noise(2),
        "days late, 10 % off": late * (1 + noise(0.1)),
        "days to pay, a day off": took + noise(1),
        "days to pay, two days off": took + noise(2),
        "days to pay, 10 % off": took * (1 + noise(0.1)),
        "day of payment, two days off": settled + noise(2),
        "days late, negated": -late,
        "days to pay, negated": -took,
        "day of payment, negated": -settled,
        "buckets of days late": np.where(known, np.digitize(late, [1, 6, 16, 31]), np.nan),
        "buckets of days to pay": np.where(known, np.digitize(took, [10, 20, 30, 40, 60]), np.nan),
        "weeks to pay": took // 7,
        "day of payment less due": settled - due,
        "was late": np.where(known, late > 0, np.nan),
        "days late, if any": np.where(late > 0, late, np.nan),
        "late fee": np.array([row[4] for row in rows]) * np.nan_to_num(late) / 1000,
        "squared days to pay": took**2,
        "one over days to pay": 1 / (1 + took),
    }


def split(examples, share=0.7):
    first = int(len(examples.at) * share)
    return np.arange(first), np.arange(first, len(examples.at))


def leaks_of(examples, known_after=frozenset()):
    train, test = split(examples)
    return {leak.column: leak for leak in find_leaks(examples, train, test, set(known_after))}


@pytest.mark.parametrize("ledger", LEDGERS)
@pytest.mark.parametrize("within", [None, 30])
def test_whatever_is_made_from_the_day_of_payment_is_found_and_nothing_else(ledger, within):
    rows = LEDGERS[ledger]()
    extra = columns_from_payment(rows)
    # A name must not be needed.
    examples = paid_ledger(rows, {f"c{place}": values for place, values in enumerate(extra.values())}, within=within)
    found = leaks_of(examples)
    assert [name for place, name in enumerate(extra) if f"c{place}" not in found] == []
    assert set(found) <= set(examples.ledger_columns)
    assert all(leak.says for leak in found.values())


def test_honest_columns_of_the_real_ledger_are_left_alone_and_a_dispute_flag_has_to_be_named():
    rows, further = ibm()
    examples = paid_ledger(rows, further)
    assert leaks_of(examples) == {}
    named = leaks_of(examples, {"Disputed"})
    assert [(leak.column, leak.kind) for leak in named.values()] == [("Disputed", "known_after")]


def test_habits_that_differ_between_customers_are_honest_however_much_they_tell():
    rng = np.random.default_rng(5)
    habit = {f"a{place}": days for place, days in enumerate(rng.normal(0, 20, 60))}
    rows = [
        (who, issued, due, max(issued, round(due + habit[who] + rng.normal(0, 3))), amount)
        for who, issued, due, _, amount in made_up()
    ]
    mean = np.array([habit[row[0]] for row in rows]) + rng.normal(0, 1, len(rows))
    found = leaks_of(paid_ledger(rows, {"habit": mean, "segment": np.digitize(mean, [-20, 0, 20])}))
    assert [leak for leak in found.values() if leak.kind == "known_after"] == []


def test_terms_are_honest_where_everybody_pays_on_the_day():
    rng = np.random.default_rng(2)
    rows = [(who, issued, due, due + int(rng.integers(0, 2)), amount) for who, issued, due, _, amount in made_up()]
    terms = np.array([row[2] - row[1] for row in rows])
    assert leaks_of(paid_ledger(rows, {"terms code": np.searchsorted([14, 30, 60], terms), "terms": terms})) == {}


def test_the_label_is_found_where_no_payment_is_known():
    examples = paid_ledger(made_up(), {"x": np.zeros(1500)})
    rng = np.random.default_rng(0)
    y, noise = examples.y, rng.normal(0.0, 1.0, len(examples.y))
    examples.paid[:] = False
    cases = {
        "label": (y, "target_in_disguise"),
        "far apart": (3 * y + noise, "separates"),
        "up and down": (np.where(y == 1, rng.uniform(-1, 1, len(y)), np.sign(noise) * (1 + rng.random(len(y)))), None),
        "missing": (np.where(y == 1, np.nan, noise), "target_in_disguise"),
        "noise": (noise, False),
        "leans": (y + noise, False),
    }
    for name, (values, kind) in cases.items():
        examples.x[:, -1] = values
        leak = leaks_of(examples).get("x")
        assert (leak is not None) == (kind is not False), name
        assert not kind or (leak and leak.kind == kind), name


def test_a_test_row_older_than_a_training_row_is_said():
    examples = paid_ledger(made_up())
    train, test = split(examples)
    assert find_leaks(examples, train, test, set()) == []
    (leak,) = find_leaks(examples, np.append(train, test[-1]), test[:-1], set())
    assert leak.kind == "order"
    assert f"of {len(test) - 1} test rows" in leak.says


@pytest.mark.parametrize("rows", [0, 1, 5, 40])
def test_few_rows_of_one_class_or_one_customer_raise_nothing(rows):
    ledger = [("a", 15_000 + place, 15_030 + place, 15_010 + place, 5.0) for place in range(max(rows, 1))]
    examples = paid_ledger(ledger, {"x": np.full(len(ledger), np.nan), "y": np.arange(len(ledger))})
    assert find_leaks(examples, np.arange(rows // 2), np.arange(rows // 2, rows), set()) == []
