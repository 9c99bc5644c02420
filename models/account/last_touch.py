"""Which contact money is put down to: the last one that had left, not long before."""

from models.account.interactions import CONNECTED, FAILED, Touch
from models.account.state import Facts
from models.calendar import DAY
from models.clock import Instant

LAST_TOUCH_DAYS = 14
"""Money that arrives later than this after a contact would have come without it."""
NEVER_THERE = (FAILED, "bounced", "not_connected", "wrong_party")
ABOUT_A_DEBT = ("collection", "validation_notice")


def last_touch(facts: Facts, at: Instant) -> tuple[str, str] | None:
    """The contact's id and channel; None when there was none, or none is known yet.

    Args:
        at: when the money was received.
    """
    since = at - LAST_TOUCH_DAYS * DAY
    if facts.contacts.last_contact_at < since:  # saves the contacts from being decoded
        return None
    latest, found, channel = since, None, ""
    for name, touch in reversed(facts.interactions.touches.items()):  # the newest are mostly the last
        if latest <= touch.at <= at and (touch.at > latest or found is None or name > found) and _left(touch):
            latest, found, channel = touch.at, name, touch.channel
    return None if found is None else (found, channel)


def _left(touch: Touch) -> bool:
    if touch.inbound or touch.outcome in NEVER_THERE or touch.purpose not in ABOUT_A_DEBT:
        return False
    return touch.sent or touch.outcome in CONNECTED
