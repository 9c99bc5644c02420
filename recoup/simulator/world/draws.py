"""Random numbers by address: what is drawn depends on the seed, the customer, the day and the purpose alone.

Two policies therefore meet the same customers with the same luck, whatever each of them does and in whatever order
things are asked: they differ only through what they do (common random numbers). The generator is counter-based:
SplitMix64's finalizer (Steele, Lea, Flood 2014) over a key that is mixed from the address.
"""

import numpy as np
from numpy.typing import NDArray

Uniforms = NDArray[np.float64]

ONCE = -1
"""The day of what is drawn once in a customer's life."""

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_WORD = (1 << 64) - 1
_ULP = 2.0**-53


class Draws:
    """The luck of a portfolio of customers under one seed."""

    def __init__(self, seed: int, customers: int) -> None:
        numbers = np.arange(1, customers + 1, dtype=np.uint64)
        start = np.uint64((seed * _GOLDEN + 0x632BE59BD9B4E019) & _WORD)
        with np.errstate(over="ignore"):
            self._keys = _mixed(_mixed(numbers * np.uint64(_GOLDEN)) ^ start)

    def uniform(self, day: int, purpose: int) -> Uniforms:
        """One number in [0, 1) for every customer."""
        return _uniform(self._keys, day, purpose)

    def one(self, customer: int, day: int, purpose: int) -> float:
        """One customer's number."""
        word = _mixed_one(int(self._keys[customer]) ^ _address(day, purpose))
        return (word >> 11) * _ULP

    def normal(self, day: int, purpose: int) -> Uniforms:
        """A standard normal number for every customer; uses the purpose and the one after it (Box-Muller)."""
        first, second = self.uniform(day, purpose), self.uniform(day, purpose + 1)
        drawn: Uniforms = np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)
        return drawn


def _uniform(keys: NDArray[np.uint64], day: int, purpose: int) -> Uniforms:
    with np.errstate(over="ignore"):
        words = _mixed(keys ^ np.uint64(_address(day, purpose)))
    drawn: Uniforms = (words >> np.uint64(11)).astype(np.float64) * _ULP
    return drawn


def _address(day: int, purpose: int) -> int:
    return _mixed_one((((day + 2) << 32) ^ purpose) * _GOLDEN & _WORD)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def _mixed_one(word: int) -> int:
    word = (word ^ (word >> 30)) * int(_FIRST) & _WORD
    word = (word ^ (word >> 27)) * int(_SECOND) & _WORD
    return word ^ (word >> 31)
