"""The examples in `schemas/examples/`, as messages."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec

from schemas import registry

FOLDER = Path(registry.__file__).parent / "examples"
LATEST = dt.datetime(2026, 6, 1, 0, 5, tzinfo=dt.UTC)


class Example(msgspec.Struct, frozen=True):
    """A message, and what shall become of it."""

    name: str
    topic: str
    value: bytes | None
    key: bytes | None
    parsed: Any = None
    headers: tuple[tuple[str, bytes], ...] = ()
    reason: str | None = None
    field: str | None = None
    schema_refuses: bool = True


def valid() -> list[Example]:
    """Every example that must be taken."""
    return [
        Example(_name(path), path.parts[-3], path.read_bytes(), key_of(path.parts[-3], parsed), parsed)
        for path in sorted(FOLDER.glob("*/valid/*.json"))
        for parsed in [json.loads(path.read_text("utf-8"))]
    ]


def invalid() -> list[Example]:
    """Every example that must be refused."""
    return [_wrapped(path) for path in sorted(FOLDER.glob("*/invalid/*.json"))]


def key_of(topic: str, parsed: Any) -> bytes | None:
    """The key that belongs to a value; none to a replay marker, and none to what is no object."""
    if not isinstance(parsed, dict) or parsed.get("type") == "replay.marker":
        return None
    return "|".join(str(parsed.get(name, "")) for name in registry.topics()[topic].key.split("|")).encode()


def _name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


def _wrapped(path: Path) -> Example:
    said, topic = json.loads(path.read_text("utf-8")), path.parts[-3]
    parsed = said.get("value")
    value = _bytes_of(said)
    if (size := said.get("padded_to")) is not None:
        parsed |= {"padding": ""}
        parsed["padding"] = "x" * (size - len(json.dumps(parsed)))
        value = json.dumps(parsed).encode()
    key = said.get("key", (key_of(topic, parsed) or b"").decode())
    return Example(
        name=_name(path),
        topic=topic,
        value=value,
        key=key if key is None else key.encode(),
        parsed=parsed,
        headers=tuple((name, text.encode()) for name, text in said.get("headers", {}).items()),
        reason=said["reason"],
        field=said.get("field"),
        schema_refuses=said.get("json_schema") != "accepts",
    )


def _bytes_of(said: dict[str, Any]) -> bytes | None:
    if "bytes" not in said:
        return json.dumps(said["value"]).encode()
    return None if said["bytes"] is None else base64.b64decode(said["bytes"])
