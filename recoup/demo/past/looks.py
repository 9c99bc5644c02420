"""The looks at the models in force that somebody would have taken during a past; what they find drifted is told as ever."""

from models.calendar import DAY
from models.clock import Instant
from recoup.demo.past.make import Past
from recoup.settings import Settings
from recoup.watch.watch import Asked, watch

EVERY = 30 * DAY
FIRST = 60
"""Days of a past before the first look: what was seen before that is too little to compare with."""
WINDOW = 7 * DAY


def look_back(settings: Settings, past: Past) -> int:
    """Look as of every month of a past that has landed, the oldest first; how many `model.drifted` events were sent.

    Raises:
        NotReady: a server does not answer.
    """
    sent = 0
    for at in moments(past):
        sent += watch(settings, Asked(now=at, since=WINDOW), emit=True).told.sent
    return sent


def moments(past: Past) -> list[Instant]:
    """When it was looked: at the end, and every month before it."""
    return list(range(past.ended_at, past.ended_at - (past.days - FIRST) * DAY, -EVERY))[::-1]
