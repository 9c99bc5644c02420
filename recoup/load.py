"""Brings what a business was owed before it came to Recoup into the account states, without one decision on the way.

Every event is marked as history: it is folded and never decided on. The whole file is checked before the first is sent.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from connectors.kafka.offsets import Offsets
from connectors.kafka.reading import partitions_of
from connectors.kafka.sending import Sender
from connectors.kafka.settings import KafkaSettings
from models.calendar import utc
from models.clock import Instant
from recoup.replay.cells import Cells
from recoup.replay.ledger import Ledger, Sent, read_ledger
from recoup.replay.mapping import read_mapping
from schemas.control import Tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import account_key
from schemas.errors import BadInput, NotReady
from schemas.registry import SOURCE_TOPICS, topics
from streams.decide.agent import GROUP

SOURCE = "load"
SHOWN_FAULTS = 10
LOOK_SECONDS = 0.1
MARKER = "replay.marker"

Show = Callable[[str, float, str], None]


class Loaded(msgspec.Struct):
    """What was sent."""

    tenants: dict[str, str]
    """Tenant -> `live`, or `not live` while it only folds."""
    events: int
    accounts: int
    by_type: dict[str, int]
    faults: list[str]
    """Rows or lines that were left out."""
    folded: bool = False
    """Decide has committed all of it."""


class Content(msgspec.Struct):
    """A file, read and checked."""

    messages: list[Sent]
    tenants: set[str]
    faults: list[str]


def from_csv(path: Path, mapping_path: Path, known: dict[str, Tenant], now: Instant, *, skip_bad: bool) -> Content:
    """The events of a CSV ledger, marked as history.

    Raises:
        BadInput: the mapping, the file or its tenant is wrong.
    """
    mapping = read_mapping(mapping_path)
    tenant = _tenant(mapping.tenant_id, known)
    # What is loaded is real, and so must be every address that a contact could go to.
    mapping = msgspec.structs.replace(mapping, assume_reachable=False)
    cells = Cells(mapping, mapping.time_zone or tenant.time_zone, now)
    ledger: Ledger = read_ledger(
        path, mapping, str(mapping_path), cells, source=SOURCE, history=True, skip_bad=skip_bad
    )
    if foreign := ledger.currencies - set(tenant.currencies):
        raise BadInput(
            f"{path}: holds amounts in {', '.join(sorted(foreign))}, which the tenant {tenant.tenant_id} has not"
            f" ({', '.join(tenant.currencies)})."
        )
    faults = [f"line {fault.line}, column {fault.column}: {fault.says}" for fault in ledger.faults]
    return Content(ledger.messages, {tenant.tenant_id}, faults)


def from_events(path: Path, known: dict[str, Tenant], now: Instant, *, skip_bad: bool) -> Content:
    """The events of a file of JSON lines, marked as history whether or not they say so, in the order of the file.

    Raises:
        BadInput: a line is no event that the pipeline takes, or its tenant is not published.
    """
    check = Check(known, now)
    messages: list[Sent] = []
    faults: list[str] = []
    tenants: set[str] = set()
    for number, line in _lines(path):
        try:
            messages.append(check(number, line, tenants))
        except BadInput as fault:
            faults.append(f"line {number}: {fault}")
    if faults and not skip_bad:
        shown = [f"{path.name} {fault}." for fault in faults[:SHOWN_FAULTS]]
        more = [f"... and {len(faults) - SHOWN_FAULTS} more."] if len(faults) > SHOWN_FAULTS else []
        last = "Nothing has been sent. Mend the file, or pass --skip-bad to leave such lines out."
        raise BadInput("\n  ".join([*shown, *more, last]))
    if not messages:
        raise BadInput(f"{path}: holds no event.")
    return Content(messages, tenants, faults)


def send(content: Content, kafka: KafkaSettings, known: dict[str, Tenant], show: Show) -> tuple[Loaded, Sender]:
    """Send everything.

    Raises:
        NotReady: the broker did not take all of it.
    """
    sender = Sender(kafka)
    kinds: Counter[str] = Counter()
    for number, message in enumerate(content.messages, 1):
        sender.send(message.topic, message.value, message.key)
        kinds[msgspec.json.decode(message.value)["type"]] += 1
        if number % 1_000 == 0:
            show("sending", number / len(content.messages), f"{number:,} events")
    sender.flush()
    loaded = Loaded(
        tenants={name: "live" if known[name].live_since else "not live" for name in sorted(content.tenants)},
        events=len(content.messages),
        accounts=len({message.key for message in content.messages}),
        by_type=dict(kinds.most_common()),
        faults=content.faults,
    )
    return loaded, sender


def wait_folded(kafka: KafkaSettings, sender: Sender, seconds: float, show: Show) -> None:
    """Wait until decide has committed what was sent.

    Raises:
        NotReady: it has not by then.
    """
    offsets = Offsets(kafka, GROUP, partitions_of(kafka, SOURCE_TOPICS))
    total = max(1, sender.taken.total())
    deadline = time.monotonic() + seconds
    try:
        while True:
            committed = offsets.committed()
            left = sum(max(0, reached - committed[place]) for place, reached in sender.reached.items())
            if not left:
                return
            if time.monotonic() > deadline:
                raise NotReady(
                    f"Everything was sent, and decide has not taken it within {seconds:g} s. Does it run? Start one:"
                    " recoup worker decide"
                )
            show("folding", max(0.0, 1.0 - left / total), f"{left:,} offsets left")
            time.sleep(LOOK_SECONDS)
    finally:
        offsets.close()


class Check:
    """Makes sure that the pipeline will take a line."""

    def __init__(self, known: dict[str, Tenant], now: Instant) -> None:
        self.known = known
        self.latest = utc(now)
        self.topic_of = {kind: topic for topic in SOURCE_TOPICS for kind in topics()[topic].types if kind != MARKER}
        self.decoders = {topic: TopicDecoder(topic) for topic in SOURCE_TOPICS}

    def __call__(self, number: int, line: bytes, tenants: set[str]) -> Sent:
        """The line as a message, marked as history; its tenant is added to `tenants`. Raises BadInput."""
        event = _as_history(line)
        topic = self.topic_of.get(str(event.get("type")))
        if topic is None:
            raise BadInput(f"`type` is none of {', '.join(sorted(self.topic_of))}")
        key = account_key(str(event.get("tenant_id")), str(event.get("account_id")))
        value = msgspec.json.encode(event)
        answer = self.decoders[topic](value, key, self.latest)
        if isinstance(answer, Refusal):
            raise BadInput(f"{answer.reason}{f' in `{answer.field}`' if answer.field else ''}: {answer.detail}")
        tenants.add(_tenant(answer.tenant_id, self.known).tenant_id)
        return Sent(number, 0, answer.event_id, topic, key, value)


def _tenant(tenant_id: str, known: dict[str, Tenant]) -> Tenant:
    if tenant_id not in known:
        raise BadInput(
            f"the tenant `{tenant_id}` is not published ({', '.join(sorted(known)) or 'none is'}). Write"
            f" config/tenants/{tenant_id}.yaml, without `live_since` until it is to decide, and run `recoup tenants apply`"
        )
    return known[tenant_id]


def _as_history(line: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(line.decode())
    except UnicodeDecodeError as error:
        raise BadInput(f"byte {error.start} is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise BadInput(f"is no JSON: {error}") from error
    if not isinstance(event, dict):
        raise BadInput("is JSON, but no object")
    return event | {"history": True}


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
                if stripped:
                    yield number, stripped
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from error
