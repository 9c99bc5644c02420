"""Means over seeds with 95 % intervals: Student's t, the seeds being independent portfolios."""

import math
from collections.abc import Sequence

import msgspec

T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Quantiles of Student's t for 1 to 30 degrees of freedom; beyond them the last one, which is a little too wide."""


class Estimate(msgspec.Struct, frozen=True):
    """A mean over seeds with its 95 % interval; without one when there is one seed."""

    mean: float
    low: float | None = None
    high: float | None = None


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of independent values, with six decimals."""
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return Estimate(round(mean, 6))
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = T_975[min(count - 1, len(T_975)) - 1] * math.sqrt(variance / count)
    return Estimate(round(mean, 6), round(mean - half, 6), round(mean + half, 6))
