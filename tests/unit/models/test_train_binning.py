"""Bins say what a range of customers has in common, in words."""

import numpy as np
import pytest

from models.propensity.binning import LEAST_IN_BIN, MOST_EDGES, learn

RNG = np.random.default_rng(0)


def test_few_whole_values_have_a_bin_each_and_whole_words():
    bins = learn("overdue_invoices", np.repeat([0.0, 1.0, 2.0, 5.0], 20))
    assert bins is not None
    assert bins.edges == [1.0, 2.0, 4.0]
    assert bins.texts == [
        "overdue_invoices below 1",
        "overdue_invoices 1",
        "overdue_invoices 2 to 3",
        "overdue_invoices 4 or more",
        "overdue_invoices unknown",
    ]


@pytest.mark.parametrize(
    "values",
    [
        RNG.lognormal(5, 2, 5000),
        RNG.normal(0, 1e-4, 400),
        RNG.beta(3, 2, 150),
        RNG.poisson(30, 3000).astype(float),
        np.where(RNG.random(2000) < 0.9, 0.0, RNG.normal(1e6, 1, 2000)),
    ],
)
def test_no_more_edges_than_allowed_and_enough_rows_in_every_bin(values):
    bins = learn("amount", values)
    assert bins is not None
    assert 1 <= len(bins.edges) <= MOST_EDGES
    assert all(low < high for low, high in zip(bins.edges, bins.edges[1:], strict=False))
    assert np.bincount(bins.codes(values).astype(int)).min() >= LEAST_IN_BIN
    assert len(bins.texts) == len(set(bins.texts)) == len(bins.edges) + 2


def test_edges_have_three_digits_where_that_tells_neighbours_apart():
    bins = learn("on_time_rate", np.repeat([0.123456, 0.654321], 50))
    assert bins is not None
    assert bins.texts[:2] == ["on_time_rate below 0.389", "on_time_rate 0.389 or more"]
    close = learn("on_time_rate", np.repeat([0.12345678, 0.12345679], 50))
    assert close is not None
    assert close.codes(np.array([0.12345678, 0.12345679])).tolist() == [0.0, 1.0]


def test_large_amounts_are_written_out():
    bins = learn("amount", np.repeat([1_000_000.5, 3_000_000.5], 50))
    assert bins is not None
    assert bins.texts[0] == "amount below 2000000"


def test_a_rare_value_still_gets_words():
    bins = learn("written_off", np.array([0.0] * 97 + [1.0] * 3))
    assert bins is not None
    assert bins.texts == ["written_off below 1", "written_off 1 or more", "written_off unknown"]


def test_what_is_not_known_has_no_code():
    bins = learn("amount", np.array([np.nan, *range(40)]))
    assert bins is not None
    assert np.isnan(bins.codes(np.array([np.nan]))[0])
    assert np.isfinite(bins.codes(np.array([-1e9, 1e9]))).all()


@pytest.mark.parametrize("values", [np.full(50, 3.0), np.full(50, np.nan), np.array([np.nan, 1.0] * 20), np.array([])])
def test_what_does_not_vary_has_no_bins(values):
    assert learn("amount", values) is None
