"""Sends dead letters to where they came from, each proved and recorded first, and none twice without being told.

A letter that was sent again is remembered in Redis, after the broker has taken it: a crash in between sends it a second
time, which the account's state drops as a duplicate. So the totals go on adding up.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Literal, Self

import msgspec

from connectors.kafka.sending import Headers, Sender
from connectors.redis.client import connect
from models.account.outcome import Drop
from models.audit import Act
from recoup.audit.acts import act_of, recorded
from recoup.dead_letters.letters import Letter, Position
from recoup.settings import Settings
from schemas.decode import Refusal
from schemas.registry import DEAD_LETTER_MAX_BYTES

REPLAYED_FROM = "replayed_from"
AT_ONCE = 500
"""Letters that are recorded together, and sent before the next look at whether the broker has taken them."""

Through = Literal["command", "console"]
"""Where a person asked for it."""


class Replayed:
    """Which letters were sent again. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect(settings.redis)
        self._key = f"{settings.redis.prefix}:dlq:replayed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def all(self) -> set[str]:
        """The positions of all."""
        return {member.decode() for member in self._client.smembers(self._key)}

    def remember(self, positions: Iterable[Position]) -> None:
        """Take down that these were sent again."""
        if members := [str(position) for position in positions]:
            self._client.sadd(self._key, *members)


class Report(msgspec.Struct):
    """What came of sending letters again."""

    sent: int = 0
    already: int = 0
    """Sent again before."""
    held_back: dict[str, str] = {}
    """Position -> why it would be refused again."""
    forced: int = 0
    """Sent although it will be refused again."""
    duplicates: int = 0
    """Among those sent: the state knows them already and will drop them."""
    recorded: bool = True
    """Whether the audit log has all of it already; else the rest follows with the next act."""


class _Ready(msgspec.Struct, frozen=True):
    """A letter that was proved, as it is to be sent."""

    letter: Letter
    key: bytes | None
    value: bytes | None
    forced: bool

    @property
    def mended(self) -> bool:
        return (self.key, self.value) != (self.letter.key, self.letter.value)


Mend = Callable[[Letter], tuple[bytes | None, bytes | None]]
"""A letter's key and value as they are to be sent."""
Prove = Callable[[str, bytes | None, bytes | None, Any], Refusal | Drop | None]


def unchanged(letter: Letter) -> tuple[bytes | None, bytes | None]:
    """As it came."""
    return letter.key, letter.value


def replay(
    settings: Settings,
    found: Iterable[Letter],
    *,
    through: Through,
    prove: Prove,
    mend: Mend = unchanged,
    force: bool = False,
    dry_run: bool = False,
) -> Report:
    """Send letters to the topic that they came from, recorded first under the name of whoever runs this.

    Raises:
        NotReady: the broker did not take them.
        redis.exceptions.RedisError: Redis is away, so nothing was recorded, and nothing more sent.
    """
    report = Report()
    ready: list[_Ready] = []
    sender = Sender(settings.kafka, message_max_bytes=DEAD_LETTER_MAX_BYTES)
    with Replayed(settings) as replayed:
        done = replayed.all()

        def send() -> None:
            acts = _acts(ready, through)
            report.recorded = recorded(settings, acts, lambda: _send(ready, sender, replayed))[1]
            ready.clear()

        for letter in found:
            if str(letter.at) in done:
                report.already += 1
                continue
            key, value = mend(letter)
            verdict = prove(letter.topic, key, value, letter.headers)
            if isinstance(verdict, Refusal) and not force:
                report.held_back[str(letter.at)] = _said(verdict)
                continue
            done.add(str(letter.at))
            report.sent += 1
            report.forced += isinstance(verdict, Refusal)
            report.duplicates += isinstance(verdict, Drop)
            if not dry_run:
                ready.append(_Ready(letter, key, value, isinstance(verdict, Refusal)))
            if len(ready) >= AT_ONCE:
                send()
        if ready:
            send()
    return report


def _send(ready: Sequence[_Ready], sender: Sender, replayed: Replayed) -> None:
    for one in ready:
        sender.send(one.letter.topic, one.value, one.key, headers=_headers(one.letter))
    sender.flush()
    replayed.remember(one.letter.at for one in ready)


def _acts(ready: Sequence[_Ready], through: Through) -> list[Act]:
    """One for each topic and reason: which letters, and whether they were changed; never what they hold."""

    def kind(one: _Ready) -> tuple[str, str, bool, bool]:
        return one.letter.topic, one.letter.reason, one.mended, one.forced

    acts = []
    for (topic, reason, mended, forced), alike in groupby(sorted(ready, key=kind), kind):
        places = sorted(one.letter.at for one in alike)
        details = {"topic": topic, "reason": reason, "through": through, "mended": "yes" if mended else "no"}
        if forced:
            details["forced"] = "yes"
        if len(places) > 1:
            details |= {"letters": str(len(places)), "first": str(places[0]), "last": str(places[-1])}
        acts.append(act_of("dead_letter", str(places[0]) if len(places) == 1 else places[0].topic, details=details))
    return acts


def _headers(letter: Letter) -> Headers:
    headers: Headers = [pair for pair in letter.headers if pair[0] != REPLAYED_FROM]
    headers.append((REPLAYED_FROM, str(letter.at)))
    headers.append(("attempt", str(letter.attempt + 1)))
    if letter.first_seen is not None:
        headers.append(("first_seen", str(letter.first_seen)))
    return headers


def _said(refusal: Refusal) -> str:
    return f"{refusal.reason}{f' in `{refusal.field}`' if refusal.field else ''}: {refusal.detail}"
