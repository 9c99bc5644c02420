"""Every topic and every type of message, read from `topics/*.yaml`: what is not registered does not travel."""

import importlib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta

from schemas.envelope import Event
from schemas.errors import BadInput

SOURCE_TOPICS = ("payment-events", "crm-events", "interaction-events")
"""What decide reads. Partition *i* of all of them belongs to one worker."""

ACCOUNT_TOPICS = (
    *SOURCE_TOPICS,
    "ledger-postings",
    "propensity-scores",
    "next-best-actions",
    "contact-requests",
    "customer-events",
)
"""Keyed by account and cut into the same number of partitions, which is never changed."""

TOPICS_DIR = Path(__file__).parent / "topics"
FOREVER = -1
BROKER_MAX_BYTES = 1024 * 1024
"""What the broker lets through: more than a decoder does, so that a message that is too large reaches the dead letters
with its reason instead of stopping its producer."""
DEAD_LETTER_SUFFIX = ".dlq"
DEAD_LETTER_HEADROOM = 64 * 1024
"""A dead letter is its message and the headers that explain it."""
DEAD_LETTER_MAX_BYTES = BROKER_MAX_BYTES + DEAD_LETTER_HEADROOM
DEAD_LETTER_RETENTION_MS = 90 * 86_400_000
"""Longer than a fault, its repair and the replay of what was refused take."""

_MODULES = (
    "payments",
    "crm",
    "interactions",
    "postings",
    "replay",
    "scores",
    "actions",
    "contacts",
    "facts",
    "control",
    "templates",
    "operations",
)
_DAY_MS = 86_400_000


class TypeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One type of message on a topic."""

    version: int
    compatibility: str
    struct: type[Event]


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of the registry."""

    name: str
    what: str
    owner: str
    key: str
    """Names of the fields that make the key, joined by `|`."""
    partitions: int
    retention_ms: int
    """-1 = for ever."""
    cleanup: str
    max_message_bytes: int
    """Larger ones are refused; the broker itself takes BROKER_MAX_BYTES."""
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    types: dict[str, TypeSpec]
    dead_letters: bool
    """Refused messages go to `<name>.dlq`."""


class _TypeFile(msgspec.Struct, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=1)]
    compatibility: Literal["backward"]
    struct: str


class _TopicFile(msgspec.Struct, forbid_unknown_fields=True):
    """The shape of a file in `topics/`."""

    topic: str
    what: str
    owner: str
    key: str
    partitions: Annotated[int, Meta(ge=1)]
    retention: Annotated[str, Meta(pattern=r"^([1-9][0-9]*d|forever)$")]
    producers: Annotated[tuple[str, ...], Meta(min_length=1)]
    consumers: Annotated[tuple[str, ...], Meta(min_length=1)]
    types: Annotated[dict[str, _TypeFile], Meta(min_length=1)]
    cleanup: Literal["delete", "compact"] = "delete"
    dead_letters: bool = False
    max_message_bytes: Annotated[int, Meta(ge=1024, le=BROKER_MAX_BYTES)] = 256 * 1024


@cache
def topics() -> dict[str, Topic]:
    """Every topic by name, without the dead-letter topics; raises BadInput when a file is wrong."""
    structs = _structs()
    read = (_read(path, structs) for path in sorted(TOPICS_DIR.glob("*.yaml")))
    return {topic.name: topic for topic in read}


def topic_named(name: str) -> Topic:
    """The topic of that name; raises BadInput when there is none."""
    if name not in topics():
        raise BadInput(f"There is no topic {name!r} in the registry. It has: {', '.join(topics())}.")
    return topics()[name]


def dead_letter_topic(topic: str) -> str:
    """Where the refused messages of a topic go."""
    return topic + DEAD_LETTER_SUFFIX


def _structs() -> dict[str, type[Event]]:
    modules = [importlib.import_module(f"schemas.{module}") for module in _MODULES]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Event)
    }


def _read(path: Path, structs: dict[str, type[Event]]) -> Topic:
    try:
        file = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), _TopicFile)
        types = {
            name: TypeSpec(version=spec.version, compatibility=spec.compatibility, struct=structs[spec.struct])
            for name, spec in file.types.items()
        }
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise BadInput(f"schemas/topics/{path.name}: {error}") from error
    except KeyError as error:
        raise BadInput(f"schemas/topics/{path.name}: there is no Struct {error} in schemas/.") from error
    return Topic(
        name=file.topic,
        what=file.what,
        owner=file.owner,
        key=file.key,
        partitions=file.partitions,
        retention_ms=FOREVER if file.retention == "forever" else int(file.retention[:-1]) * _DAY_MS,
        cleanup=file.cleanup,
        max_message_bytes=file.max_message_bytes,
        producers=file.producers,
        consumers=file.consumers,
        types=types,
        dead_letters=file.dead_letters,
    )
