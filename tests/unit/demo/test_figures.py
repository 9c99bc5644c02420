"""Figures read from Prometheus' text format, as the workers' own library writes it."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from recoup.demo.figures import Figures, parse


def worker(contacts: dict[str, int], seconds: list[float]) -> Figures:
    registry = CollectorRegistry()
    counter = Counter("recoup_events_total", "Events.", ["job", "outcome"], registry=registry)
    for outcome, times in contacts.items():
        counter.labels("dispatch", outcome).inc(times)
    histogram = Histogram("recoup_to_row_seconds", "Time.", ["topic"], buckets=[0.1, 0.2, 0.4], registry=registry)
    for value in seconds:
        histogram.labels("payment-events").observe(value)
    Counter("other_total", "Not ours.", registry=registry).inc()
    return Figures(parse(generate_latest(registry).decode()))


def test_counters_are_summed_by_label_largest_first():
    figures = worker({"sent": 3, "failed": 7, "unknown": 0}, [])
    assert list(figures.by("recoup_events_total", "outcome").items()) == [("failed", 7), ("sent", 3)]
    assert figures.by("recoup_events_total", "outcome", job="decide") == {}
    assert figures.total("recoup_events_total") == 10
    assert figures.total("recoup_events_total", outcome="sent") == 3


def test_workers_add_up():
    figures = worker({"sent": 3}, [0.05])
    figures.add(worker({"sent": 4}, [0.15] * 3).samples)
    assert figures.total("recoup_events_total", outcome="sent") == 7
    assert figures.total("recoup_to_row_seconds_count") == 4


def test_what_was_counted_before_is_left_out():
    before, after = worker({"sent": 3}, [0.05] * 9), worker({"sent": 5, "failed": 1}, [0.05] * 9 + [0.15])
    since = after.since(before)
    assert since.by("recoup_events_total", "outcome") == {"sent": 2, "failed": 1}
    assert since.quantile("recoup_to_row_seconds", 0.5) == pytest.approx(0.15)
    assert before.since(before).quantile("recoup_to_row_seconds", 0.5) is None


def test_what_is_not_ours_is_left_out():
    assert all(name.startswith("recoup_") for name, _ in worker({"sent": 1}, [0.1]).samples)


def test_a_label_may_hold_quotes_and_commas():
    assert parse('recoup_x{rule="a,\\"b\\"",job="d"} 2.0\n') == {
        ("recoup_x", (("job", "d"), ("rule", 'a,\\"b\\"'))): 2.0
    }


@pytest.mark.parametrize(
    ("seconds", "share", "expected"),
    [
        ([0.05] * 100, 0.5, 0.05),  # interpolated: half of the first bucket
        ([0.05] * 99 + [0.3], 0.99, 0.1),
        ([0.05] * 50 + [0.15] * 50, 0.75, 0.15),
        ([0.3], 1.0, 0.4),
        ([9.0] * 10, 0.5, 0.4),  # past the last bound: all that is known is that it was more
    ],
)
def test_quantiles_are_interpolated_inside_their_bucket(seconds, share, expected):
    assert worker({}, seconds).quantile("recoup_to_row_seconds", share) == pytest.approx(expected)


def test_quantiles_may_be_those_of_some_topics():
    figures = worker({}, [0.05])
    assert figures.quantile("recoup_to_row_seconds", 0.5, ("payment-events",)) == pytest.approx(0.05)
    assert figures.quantile("recoup_to_row_seconds", 0.5, ("tenants",)) is None


def test_an_empty_histogram_has_no_quantile():
    assert Figures().quantile("recoup_to_row_seconds", 0.5) is None
