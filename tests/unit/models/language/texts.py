"""The texts of these tests, from the files beside them."""

from pathlib import Path

import msgspec

HERE = Path(__file__).parent


def texts(name: str) -> dict[str, list[str]]:
    """The texts of one file, by what they are."""
    return msgspec.yaml.decode((HERE / name).read_bytes(), type=dict[str, list[str]])


def labelled(name: str) -> list[tuple[str, str]]:
    """Every text of one file with what it is."""
    return [(label, text) for label, told in texts(name).items() for text in told]
