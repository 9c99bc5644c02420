"""A block's worth of observations is counted like one at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streams.histogram import BlockHistogram

BOUNDS = [0.001, 0.5, 1.0, 2.5]
SECONDS = st.lists(st.floats(0, 10) | st.sampled_from(BOUNDS), max_size=30)


@given(st.lists(SECONDS, max_size=4))
def test_it_reads_as_the_ordinary_histogram_does(blocks: list[list[float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    block_histogram = BlockHistogram("seconds", "How long.", "topic", BOUNDS, registry=ours)
    ordinary = Histogram("seconds", "How long.", ["topic"], buckets=BOUNDS, registry=theirs)
    for block in blocks:
        block_histogram.observe("a", np.array(block))
        for value in block:
            ordinary.labels("a").observe(value)
    found, expected = samples(ours), samples(theirs)
    assert found.keys() == expected.keys() or not any(blocks)
    for name, value in found.items():
        assert np.isclose(value, expected.get(name, 0.0))


def samples(registry: CollectorRegistry) -> dict[str, float]:
    lines = [line for line in generate_latest(registry).decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if "_created" not in name}
