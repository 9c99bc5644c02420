"""Every decision is counted as it comes, and only the newest few are told: what a reader sees costs the same at any rate."""

import threading
from collections import deque
from collections.abc import Iterable

import msgspec

from models.account.course import WAIT
from models.calendar import instant
from models.clock import Instant
from models.compliance.sentences import reason_of
from recoup.console.words import reasons_in_words
from recoup.explain.decision import in_words
from schemas.actions import NextBestAction

ROWS_AT_ONCE = 12
"""Decisions that one update tells at most; four updates a second are more than anybody reads."""
KEPT = 40
"""Decisions that a new reader sees at once."""


class Row(msgspec.Struct, frozen=True):
    """One decision as a line."""

    at: Instant
    tenant_id: str
    account_id: str
    decision_id: str
    kind: str
    """`wait`, `contact`, `hand_to_person`, ..."""
    action: str
    """In words, without the template."""
    template: str
    why: str
    arm: str
    denied: dict[str, str]
    """Rule that denied an action -> what it says."""
    at_stake_minor: int
    currency: str


class News(msgspec.Struct, frozen=True):
    """What came since the last look."""

    rows: tuple[Row, ...]
    """The newest, oldest first; contacts go before decisions to wait where there is not room for all."""
    came: int
    """All of them."""


class _Glance(msgspec.Struct, gc=False):
    """As much of a decision as is counted; reading the rest of it would cost ten times as much."""

    action: str


_glance = msgspec.json.Decoder(_Glance).decode
_whole = msgspec.json.Decoder(NextBestAction).decode


class Decisions:
    """Takes messages of next-best-actions from one thread and tells them to another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deeds: deque[bytes] = deque(maxlen=ROWS_AT_ONCE)
        self._waits: deque[bytes] = deque(maxlen=ROWS_AT_ONCE)
        self._came = 0
        self._recent: deque[Row] = deque(maxlen=KEPT)
        self.total = 0
        """Since the console started."""

    def take(self, values: Iterable[bytes], *, news: bool = True) -> None:
        """Count messages; `news` = they were decided after the console had started."""
        glances = [(value, _read(value)) for value in values]
        with self._lock:
            for value, glance in glances:
                if glance is None:
                    continue
                (self._waits if glance.action == WAIT else self._deeds).append(value)
                self._came += 1
                self.total += news

    def news(self) -> News | None:
        """What came since the last call; None = nothing."""
        with self._lock:
            if not self._came:
                return None
            deeds, came = list(self._deeds), self._came
            room = ROWS_AT_ONCE - len(deeds)
            waits = list(self._waits)[-room:] if room else []
            self._deeds.clear()
            self._waits.clear()
            self._came = 0
        found = [row for value in (*deeds, *waits) if (row := _row(value)) is not None]
        rows = sorted(found, key=lambda row: row.at)
        self._recent.extend(rows)
        return News(tuple(rows), came)

    def recent(self) -> tuple[Row, ...]:
        """The newest that were told, oldest first."""
        return tuple(self._recent)


def row_from(value: bytes) -> Row:
    """A decision's message as a line."""
    said = _whole(value)
    return Row(
        at=instant(said.occurred_at),
        tenant_id=said.tenant_id,
        account_id=said.account_id,
        decision_id=said.decision_id,
        kind=said.action,
        action=in_words(said.action, said.channel, None),
        template=said.template or "",
        why=reasons_in_words(said.reasons),
        arm=said.arm,
        denied={rule: reason_of(rule) for candidate in said.actions for rule in candidate.denied_by},
        at_stake_minor=said.at_stake_minor,
        currency=said.currency or "",
    )


def _row(value: bytes) -> Row | None:
    try:
        return row_from(value)
    except msgspec.MsgspecError:
        return None


def _read(value: bytes) -> _Glance | None:
    try:
        return _glance(value)
    except msgspec.MsgspecError:
        return None  # `land` takes it down as a row that is not valid
