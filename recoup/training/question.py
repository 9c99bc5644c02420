"""What a model is asked, as people write it: a target such as `paid_within:30` and a moment such as `every:7d`."""

import re

import msgspec

from models.clock import Instant
from models.propensity.examples import Moment, Target
from schemas.errors import BadInput

MOST_DAYS = 3_650


class Question(msgspec.Struct, frozen=True):
    """Which rows to take, and what to ask about each."""

    target: Target
    moment: Moment
    since: Instant | None = None
    """No row is taken before it; what happened before is known all the same."""

    def __post_init__(self) -> None:
        """Raises BadInput when there is nothing to foretell."""
        if self.target.name == "paid_by_due" and self.moment.name == "overdue":
            raise BadInput(
                "--target paid_by_due cannot be asked --at overdue: the due date is over by then. Ask paid_within:30, or"
                " take the rows at issue."
            )


def target_of(text: str) -> Target:
    """A target; raises ValueError, which says what may stand there."""
    if text == "paid_by_due":
        return Target("paid_by_due")
    return Target(
        "paid_within", _days(re.fullmatch(r"paid_within:([0-9]{1,9})d?", text), text, "paid_by_due or paid_within:30")
    )


def moment_of(text: str) -> Moment:
    """A moment; raises ValueError, which says what may stand there."""
    if text == "issue":
        return Moment("issue")
    if text == "overdue":
        return Moment("overdue")
    return Moment("every", _days(re.fullmatch(r"every:([0-9]{1,9})d", text), text, "issue, overdue or every:7d"))


def _days(found: re.Match[str] | None, text: str, wanted: str) -> int:
    days = int(found[1]) if found else 0
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"{text!r} is not {wanted} (1 to {MOST_DAYS:,} days).")
    return days
