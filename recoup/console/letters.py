"""A dead letter as the page shows, proves and sends it again: by the same steps as `recoup dlq`, under the user's name."""

from typing import Literal

import msgspec

from models.account.outcome import Drop
from models.calendar import utc
from models.clock import Clock
from recoup.dead_letters import mending
from recoup.dead_letters.letters import letter_at, position_from
from recoup.dead_letters.proof import Prover
from recoup.dead_letters.replay import Mend, Replayed, Report, replay, unchanged
from recoup.dead_letters.showing import opened
from recoup.settings import Settings
from recoup.simulator.stack import require_live
from recoup.tenants import published
from schemas.decode import Refusal
from schemas.errors import BadInput

SHOWN_BYTES = 65_536
"""What is longer is shown up to here and can only be sent as it is; `recoup dlq replay --edit` mends it."""
SHOWN_UNREADABLE = 2_048


class Shown(msgspec.Struct, frozen=True):
    """One dead letter, all of it."""

    at: str
    topic: str
    reason: str
    field: str
    detail: str
    came_from: str
    attempt: int
    first_seen: str | None
    key: str
    headers: dict[str, str]
    size: int
    """Bytes."""
    value: str
    """JSON laid out, other text as it is, and bytes that are no text with a code for each."""
    editable: bool
    replayed: bool


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be sent in a letter's place."""

    at: str
    value: str | None = None
    """None = as it came."""
    rekey: bool = False
    """Take the key from the message's own tenant and account."""


class Verdict(msgspec.Struct, frozen=True):
    """What the pipeline would make of a message."""

    verdict: Literal["taken", "dropped", "refused"]
    says: str


class Sent(msgspec.Struct, frozen=True):
    """What came of sending a letter again."""

    sent: bool
    says: str
    recorded: bool = False
    """Whether the audit log has it already; else it follows with the next act."""


class Letters:
    """Reads and sends dead letters. Every call opens what it needs: they are seldom, and Kafka may be away."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock

    def show(self, at: str) -> Shown:
        """The letter at a position, recorded first under the name of whoever runs the console.

        Raises:
            BadInput: there is none.
            redis.exceptions.RedisError: Redis is away, so nothing was recorded, and nothing is shown.
        """
        letter = opened(self.settings, position_from(at), "console")
        value, editable = _as_text(letter.value or b"")
        with Replayed(self.settings) as replayed:
            done = str(letter.at) in replayed.all()
        return Shown(
            at=str(letter.at),
            topic=letter.topic,
            reason=letter.reason,
            field=letter.field,
            detail=letter.detail,
            came_from=letter.came_from,
            attempt=letter.attempt,
            first_seen=None if letter.first_seen is None else utc(letter.first_seen).isoformat(),
            key=(letter.key or b"").decode(errors="backslashreplace"),
            headers={name: value.decode(errors="backslashreplace") for name, value in letter.headers},
            size=len(letter.value or b""),
            value=value,
            editable=editable,
            replayed=done,
        )

    def prove(self, wanted: Wanted) -> Verdict:
        """What the pipeline would make of it now; nothing is sent.

        Raises:
            BadInput: there is no such letter, or it is no text and was to be changed.
        """
        letter = letter_at(self.settings, position_from(wanted.at))
        with self._prover() as prover:
            key, value = _mend(wanted)(letter)
            verdict = prover(letter.topic, key, value, letter.headers)
        if isinstance(verdict, Refusal):
            where = f" in `{verdict.field}`" if verdict.field else ""
            return Verdict("refused", f"{verdict.reason}{where}: {verdict.detail}")
        if isinstance(verdict, Drop):
            return Verdict("dropped", f"it would change nothing ({verdict.reason.replace('_', ' ')})")
        return Verdict("taken", "it would be taken")

    def send(self, wanted: Wanted) -> Sent:
        """Prove it and send it to where it came from, recorded first under the name of whoever runs the console.

        Raises:
            BadInput: as `prove`; also in a stack that replays a ledger.
            NotReady: the broker did not take it.
        """
        require_live(self.settings)
        letter = letter_at(self.settings, position_from(wanted.at))
        with self._prover() as prover:
            report = replay(self.settings, [letter], through="console", prove=prover, mend=_mend(wanted))
        if not report.sent:
            return Sent(sent=False, says=_why_not(report))
        known = "; the state knows it already and will drop it" if report.duplicates else ""
        return Sent(sent=True, says=f"It was sent to {letter.topic} again{known}.", recorded=report.recorded)

    def _prover(self) -> Prover:
        return Prover(self.settings, published(self.settings.kafka), self.clock)


def _mend(wanted: Wanted) -> Mend:
    value = wanted.value
    if value is not None:
        return lambda letter: mending.by_hand(letter, lambda _: value, rekey=wanted.rekey)
    return mending.rekeyed if wanted.rekey else unchanged


def _why_not(report: Report) -> str:
    if report.already:
        return "It had been sent again before."
    return "It would be refused again: " + "; ".join(report.held_back.values())


def _as_text(value: bytes) -> tuple[str, bool]:
    """A value for people, and whether what is shown can be changed and sent."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value[:SHOWN_UNREADABLE].decode(errors="backslashreplace"), False
    if len(value) > SHOWN_BYTES:
        return text[:SHOWN_BYTES], False
    try:
        return msgspec.json.format(value, indent=2).decode(), True
    except msgspec.DecodeError:
        return text, True


def wanted_from(body: bytes) -> Wanted:
    """What a page asks for; raises BadInput."""
    try:
        return msgspec.json.decode(body, type=Wanted)
    except msgspec.MsgspecError as error:
        raise BadInput(f"Not understood: {error}") from None
