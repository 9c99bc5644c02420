"""Nothing that a model is judged by lies before, or overlaps with, what it learned from."""

import msgspec
import numpy as np
import pytest

from models.propensity.examples import Moment
from models.propensity.split import folds, time_split
from schemas.errors import BadInput
from tests.unit.models.learned import DAY, customers, examples


def snapshots(invoices=40, each=6, every=7, horizon=14):
    """Weekly rows of invoices that begin three days apart."""
    invoice, place = np.divmod(np.arange(invoices * each), each)
    at = (invoice * 3 + place * every) * DAY
    outcome = np.where((invoice + place) % 3 == 0, "unpaid", "paid")
    return examples(
        np.zeros((len(at), 1)),
        outcome,
        at=at,
        horizon_end=at + horizon * DAY,
        account_id=np.array([f"a{number % 20}" for number in invoice]),
        invoice_id=np.array([f"i{number:03d}" for number in invoice]),
        moment=Moment("every", every),
    )


def test_the_last_rows_by_time_are_the_test():
    rows = customers(2466)
    shuffled = np.random.default_rng(0).permutation(2466)
    mixed = msgspec.structs.replace(rows, at=rows.at[shuffled], invoice_id=rows.invoice_id[shuffled])
    split = time_split(mixed)
    assert len(split.test) == 740
    assert len(split.train) == 1726
    assert mixed.at[split.train].max() < mixed.at[split.test].min()
    assert not len(split.embargoed)
    assert not len(split.other_side)


def test_rows_of_one_instant_are_in_the_order_of_their_invoices():
    rows = customers(100, at=np.zeros(100, dtype=np.int64))
    backwards = msgspec.structs.replace(rows, invoice_id=rows.invoice_id[::-1])
    split = time_split(backwards)
    assert backwards.invoice_id[split.test].tolist() == sorted(backwards.invoice_id)[-30:]


def test_rows_without_a_label_are_on_no_side():
    rows = customers(300)
    rows.outcome[::3] = "unmatured"
    split = time_split(rows)
    assert len(split.train) + len(split.test) == 200
    assert not np.intersect1d(np.concatenate([split.train, split.test]), np.arange(0, 300, 3)).size


def test_with_snapshots_no_label_to_learn_from_is_settled_after_the_test_begins():
    rows = snapshots()
    split = time_split(rows)
    assert rows.horizon_end[split.train].max() <= rows.at[split.test].min()
    assert len(split.embargoed)


def test_with_snapshots_an_invoice_stays_on_one_side():
    rows = snapshots()
    split = time_split(rows)
    before = np.concatenate([split.train, split.embargoed])
    assert not set(rows.invoice_id[before]) & set(rows.invoice_id[split.test])
    assert set(rows.invoice_id[split.other_side]) <= set(rows.invoice_id[before])
    assert len(before) + len(split.test) + len(split.other_side) == len(rows.outcome)


def test_the_same_invoice_number_of_another_customer_is_another_invoice():
    rows = snapshots()
    rows = msgspec.structs.replace(
        rows, invoice_id=np.full(len(rows.outcome), "1"), account_id=rows.invoice_id, tenant_id=np.full(240, "t")
    )
    assert len(time_split(rows).test) == len(time_split(snapshots()).test)


@pytest.mark.parametrize("rows", [customers(600), snapshots(200)])
def test_every_fold_learns_from_what_came_before(rows):
    train = time_split(rows).train
    found = folds(rows, train)
    assert len(found) == 4
    for fold in found:
        assert rows.at[fold.train].max() <= rows.at[fold.test].min()
        if rows.moment.name == "every":
            assert rows.horizon_end[fold.train].max() <= rows.at[fold.test].min()
            assert not set(rows.invoice_id[fold.train]) & set(rows.invoice_id[fold.test])
    assert [len(fold.train) for fold in found] == sorted(len(fold.train) for fold in found)
    assert set(np.concatenate([fold.test for fold in found])) <= set(train)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (["unmatured"] * 60, "None of 60 rows has a label: 60 had not matured"),
        (["competing"] * 20 + ["paid", "unpaid"] * 5, "10 of 30 rows have a label, and 50 is the least"),
        (["paid"] * 80, "All 80 labelled rows have one outcome, paid within paid_by_due"),
        (["unpaid"] * 80, "one outcome, not paid within"),
        (
            ["paid"] * 60 + ["unpaid"] * 40,
            "Of 70 rows to learn from, 60 were paid .* 10 of each|Of 30 rows to test on, 0",
        ),
        (
            ["unpaid"] * 9 + ["paid"] * 71 + ["unpaid"] * 20,
            "Of 70 rows to learn from, 61 were .* and 9 were not; 10 of each",
        ),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_with_the_reason(outcome, words):
    with pytest.raises(BadInput, match=words):
        time_split(examples(np.zeros((len(outcome), 1)), outcome))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.3, float("nan")])
def test_a_test_fraction_that_leaves_nothing_on_a_side_is_refused(fraction):
    with pytest.raises(BadInput, match="test fraction"):
        time_split(customers(100), fraction)
