"""What a customer's replies still ask of us: those that a person must read, and what was claimed and not yet answered.

`reply.read` settles every reply that came on its channel before it, and what it claimed; a dispute is answered by a later
dispute event too, and hardship by a later hardship event.
"""

from collections.abc import Iterator

import msgspec

from models.account.bars import HARDSHIP
from models.account.interactions import InteractionFacts
from models.account.profile import Bars
from models.account.seen import instant_of
from models.calendar import DAY
from models.clock import Instant

BELIEVED_DAYS = 10
"""How long "I have paid" is believed: the longest that a payment is usually on its way, a check in the mail."""
PROMISED_DAYS = 7
"""How long "I will pay soon" is waited for."""


class Claims(msgspec.Struct, frozen=True):
    """When the newest reply came that still asks something; 0 = none does."""

    unread: Instant = 0
    """A person must read it: nobody was sure what it means, or it asks a question."""
    disputed: Instant = 0
    """It disputes; no dispute was opened or resolved since."""
    hardship: Instant = 0
    """It speaks of hardship; none was declared or ended since."""
    paid: Instant = 0
    """It says that the money is on its way, within the last BELIEVED_DAYS."""
    promised: Instant = 0
    """It promises without a day, within the last PROMISED_DAYS."""


NO_CLAIMS = Claims()


def standing_claims(interactions: InteractionFacts, crm: Bars, at: Instant) -> Claims:
    """What the replies up to `at` still ask of us."""
    if not (interactions.unread or interactions.claims):
        return NO_CLAIMS
    newest: dict[str, Instant] = {}
    for name, said_at in interactions.claims.items():
        channel, _, intent = name.partition("|")
        if said_at > interactions.read_until.get(channel, 0):
            newest[intent] = max(newest.get(intent, 0), said_at)
    disputes = [max(dispute.opened, dispute.resolved) for dispute in crm.disputes.values()]
    return Claims(
        unread=unread_since(interactions),
        disputed=_since(newest, "dispute", instant_of(max(disputes, default=0))),
        hardship=_since(newest, "hardship", instant_of(abs(crm.flags.get(HARDSHIP, 0)))),
        paid=_since(newest, "paid_already", at - BELIEVED_DAYS * DAY),
        promised=_since(newest, "promise", at - PROMISED_DAYS * DAY),
    )


def _since(newest: dict[str, Instant], intent: str, answered: Instant) -> Instant:
    """When it was claimed, if that was later than the last answer."""
    said_at = newest.get(intent, 0)
    return said_at if said_at > answered else 0


def _unread(interactions: InteractionFacts) -> Iterator[tuple[str, Instant]]:
    read_until = interactions.read_until
    for name, at in interactions.unread.items():
        if at > read_until.get(name.partition("|")[0], 0):
            yield name, at


def unread_since(interactions: InteractionFacts) -> Instant:
    """When the newest reply came that waits for a person; 0 = none does."""
    return max((at for name, at in _unread(interactions)), default=0) if interactions.unread else 0


def opt_outs_in_doubt(interactions: InteractionFacts) -> dict[str, Instant]:
    """The channels (or `all`) that a reply may have opted out of, and when: denied until a person has read it."""
    if not interactions.unread:
        return {}
    doubted: dict[str, Instant] = {}
    for name, at in _unread(interactions):
        channel = name.partition("|")[2]
        if channel:
            doubted[channel] = max(doubted.get(channel, 0), at)
    return doubted
