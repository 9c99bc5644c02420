"""What lies in the stack's home, and of which version: data that this version cannot read is refused, not damaged."""

import json
import os
from pathlib import Path
from typing import Any

from recoup.stack.jars import KAFKA_VERSION
from schemas.errors import NotReady

LAYOUT = 1
"""Raised when data written before cannot be read any more."""


def check(home: Path) -> None:
    """Refuse a home that a newer or incompatible version wrote; mark a new one as ours."""
    if problem := wrong_version(home):
        raise NotReady(problem)
    path = home / "data" / "version.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"layout": LAYOUT, "kafka": KAFKA_VERSION})


def wrong_version(home: Path) -> str | None:
    """Why this version cannot use the data under `home`; None when it can."""
    path = home / "data" / "version.json"
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text())
        layout, kafka = int(found["layout"]), str(found["kafka"])
    except (ValueError, KeyError, TypeError):
        return f"{path} cannot be read; `recoup down --wipe` deletes the local data and starts anew"
    if layout != LAYOUT or _version(kafka) > _version(KAFKA_VERSION):
        return (
            f"the data under {home} was written by another version (layout {layout}, Kafka {kafka}; this one has "
            f"layout {LAYOUT}, Kafka {KAFKA_VERSION}): use that version, or `recoup down --wipe` to delete the local data"
        )
    return None


def read_endpoints(path: Path) -> dict[str, str]:
    """Addresses of the embedded parts, as the last `up` wrote them."""
    try:
        values = json.loads(path.read_text())
        return {str(name): str(address) for name, address in values.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_endpoints(path: Path, addresses: dict[str, str]) -> None:
    """Tell every other command where the embedded parts are."""
    write_json(path, addresses)


def write_json(path: Path, value: Any) -> None:
    """Replace a file in one step, so that nobody reads half of it."""
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(json.dumps(value, indent=2) + "\n")
    draft.replace(path)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(".") if number.isdigit())
