"""Sends dead letters to where they came from, each proved first, and none twice without being told.

A letter that was sent again is remembered in Redis, after the broker has taken it: a crash in between sends it a second
time, which the account's state drops as a duplicate. So the totals go on adding up.
"""

from collections.abc import Callable, Iterable
from typing import Any, Self

import msgspec

from connectors.kafka.sending import Headers, Sender
from connectors.redis.client import connect
from models.account.outcome import Drop
from recoup.dead_letters.letters import Letter, Position
from recoup.settings import Settings
from schemas.decode import Refusal

REPLAYED_FROM = "replayed_from"
AT_ONCE = 500
"""Letters between two looks at whether the broker has taken them."""


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


Mend = Callable[[Letter], tuple[bytes | None, bytes | None]]
"""A letter's key and value as they are to be sent."""
Prove = Callable[[str, bytes | None, bytes | None, Any], Refusal | Drop | None]


def unchanged(letter: Letter) -> tuple[bytes | None, bytes | None]:
    """As it came."""
    return letter.key, letter.value


def replay(
    found: Iterable[Letter],
    *,
    sender: Sender,
    replayed: Replayed,
    prove: Prove,
    mend: Mend = unchanged,
    force: bool = False,
    dry_run: bool = False,
) -> Report:
    """Send letters to the topic that they came from.

    Raises:
        NotReady: the broker did not take them.
    """
    report = Report()
    done = replayed.all()
    waiting: list[Position] = []
    for letter in found:
        if str(letter.at) in done:
            report.already += 1
            continue
        key, value = mend(letter)
        verdict = prove(letter.topic, key, value, letter.headers)
        if isinstance(verdict, Refusal):
            if not force:
                report.held_back[str(letter.at)] = _said(verdict)
                continue
            report.forced += 1
        report.duplicates += isinstance(verdict, Drop)
        report.sent += 1
        if dry_run:
            continue
        sender.send(letter.topic, value, key, headers=_headers(letter))
        waiting.append(letter.at)
        if len(waiting) >= AT_ONCE:
            _settle(sender, replayed, waiting)
    _settle(sender, replayed, waiting)
    return report


def _settle(sender: Sender, replayed: Replayed, waiting: list[Position]) -> None:
    sender.flush()
    replayed.remember(waiting)
    waiting.clear()


def _headers(letter: Letter) -> Headers:
    headers: Headers = [pair for pair in letter.headers if pair[0] != REPLAYED_FROM]
    headers.append((REPLAYED_FROM, str(letter.at)))
    headers.append(("attempt", str(letter.attempt + 1)))
    if letter.first_seen is not None:
        headers.append(("first_seen", str(letter.first_seen)))
    return headers


def _said(refusal: Refusal) -> str:
    return f"{refusal.reason}{f' in `{refusal.field}`' if refusal.field else ''}: {refusal.detail}"
