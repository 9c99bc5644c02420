"""Tests that need a public data set say so and are skipped where it is missing."""

from collections.abc import Callable
from typing import TypeVar

import pytest

Data = TypeVar("Data")


def or_skip(load: Callable[[str], Data], name: str) -> Data:
    """The data, if they are there."""
    try:
        return load(name)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
