"""What turns a state that an older version wrote into one of the next; each version's layout is written down here.

A state is a list: the version, then the folds of payments, of the customer and of interactions as bytes, then the
course.
"""

from collections.abc import Callable
from typing import Any

import msgspec

INTERACTIONS = 3
"""Where the fold of interactions stands in a state of any version so far."""

_CALLED_1 = ("conversation", "third_party", "voicemail", "no_answer", "wrong_party")
"""Outcomes of a call that was connected."""


_MADE_1 = ("sent", "unknown", *_CALLED_1)
_ANSWERED_1 = ("opened", "clicked", "reply", "conversation")
"""Reports that version 1 counted, by what they say."""


class _Touch1(msgspec.Struct, array_like=True):
    """One contact, as far as the upgrade reads it."""

    at: int
    channel: str
    outcome: str
    stamp: int
    sent: bool = False
    purpose: str = ""
    inbound: bool = False

    def has_left(self) -> bool:
        """Whether it was reported as sent, or was a call of ours that was connected."""
        return not self.inbound and (self.sent or self.outcome in _CALLED_1)


class _Interactions1(msgspec.Struct, array_like=True):
    """The fold of interactions as version 1 laid it out."""

    touches: dict[str, msgspec.Raw] = {}
    newest: int = 0
    counts: dict[str, int] = {}
    opt_outs: dict[str, int] = {}
    blocked: dict[str, int] = {}
    promises: dict[str, list[Any]] = {}
    last_reply_at: int = 0
    last_complaint_at: int = 0
    events: bytes = b""


def _to_2(values: list[Any]) -> list[Any]:
    """What is asked for most stands first in the fold of interactions, and it says when the last contact was.

    That is taken from the contacts that are still kept one by one; an account that was last contacted longer ago than
    they go back counts as never contacted. Of money nothing is made up: what version 1 did not count, such as days against
    due, amounts and invoices issued, counts from now on. `recoup rebuild` makes all of it again from the topics.
    """
    upgraded = [2, *values[1:]]
    if values[INTERACTIONS]:
        old = msgspec.msgpack.decode(values[INTERACTIONS], type=_Interactions1)
        touches = [msgspec.msgpack.decode(touch, type=_Touch1) for touch in old.touches.values()]
        contacted = max([touch.at for touch in touches if touch.has_left()], default=0)
        upgraded[INTERACTIONS] = msgspec.msgpack.encode(
            [
                old.newest,
                sum(old.counts.get(report, 0) for report in _MADE_1),
                sum(old.counts.get(report, 0) for report in _ANSWERED_1),
                old.promises,
                old.last_reply_at,
                old.last_complaint_at,
                contacted,
                old.touches,
                old.opt_outs,
                old.blocked,
                old.events,
            ]
        )
    return upgraded


UPGRADES: dict[int, Callable[[list[Any]], list[Any]]] = {1: _to_2}
"""Version -> what turns a state of that version into one of the next."""
