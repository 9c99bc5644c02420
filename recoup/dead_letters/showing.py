"""Nobody is shown what a dead letter holds before the audit log has their name."""

from recoup.audit.acts import act_of, recorded
from recoup.dead_letters.letters import Letter, Position, letter_at
from recoup.dead_letters.replay import Through
from recoup.settings import Settings


def opened(settings: Settings, at: Position, through: Through) -> Letter:
    """The letter at a position, recorded as `access` under the name of whoever runs this; never what it holds.

    Raises:
        BadInput: there is no such letter; nothing is recorded.
        redis.exceptions.RedisError: Redis is away, so nothing was recorded, and nothing is shown.
    """
    letter = letter_at(settings, at)
    details = {"topic": letter.topic, "reason": letter.reason, "through": through}
    recorded(settings, [act_of("access", str(letter.at), details=details)], lambda: None)
    return letter
