"""What the guides say of names and places is so."""

import re
from pathlib import Path

from models.features.catalogue import NAMES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")


def test_the_place_of_a_feature_in_sql_is_that_of_the_catalogue():
    ((place, name),) = re.findall(r"by its place, (\d+) = (\w+)", GUIDE)
    assert NAMES[int(place) - 1] == name
    assert set(re.findall(r"features\[(\d+)\]", GUIDE)) == {place}


def test_every_path_that_is_named_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = set(
        re.findall(r"`((?:tests|models|connectors|streams|recoup|schemas|benchmarks|docs)/[\w./-]+)`", readme + GUIDE)
    )
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
