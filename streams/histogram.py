"""A Prometheus histogram that takes thousands of observations at once for the price of one."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

Counts = npt.NDArray[np.int64]


class BlockHistogram(Collector):
    """Like `prometheus_client.Histogram` with one label, for values that come in blocks.

    One by one, each would cost a microsecond, a quarter of what landing a row may cost.
    """

    def __init__(
        self, name: str, says: str, label: str, bounds: Sequence[float], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self.name = name
        self.says = says
        self.label = label
        self.bounds = np.asarray(bounds, dtype=np.float64)
        self._counts: dict[str, Counts] = {}
        self._sums: dict[str, float] = {}
        registry.register(self)

    def observe(self, label: str, values: npt.NDArray[np.float64]) -> None:
        """Count each value into the first bucket whose bound is not below it."""
        counts = np.bincount(np.searchsorted(self.bounds, values), minlength=len(self.bounds) + 1)
        self._counts[label] = self._counts.get(label, 0) + counts
        self._sums[label] = self._sums.get(label, 0.0) + float(values.sum())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family = HistogramMetricFamily(self.name, self.says, labels=[self.label])
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        for label, counts in self._counts.items():
            buckets = [(name, float(up_to)) for name, up_to in zip(names, np.cumsum(counts), strict=True)]
            family.add_metric([label], buckets=buckets, sum_value=self._sums[label])
        yield family
