"""What every policy is asked and what every choice says: one path from an account to the messages of its decision."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from models.account.course import Course
from models.account.standing import Standing
from models.account.state import Facts
from models.actions.contact import Draft
from models.actions.policy import Arm
from models.clock import Instant
from models.compliance.gate import Gate
from schemas.actions import NONE, Candidate, Context

Caps = dict[tuple[str, str], int]
"""(tenant, channel) -> contacts that may still be chosen today; a channel that is not named has no cap."""


class Conditions(msgspec.Struct, frozen=True):
    """What a decision rests on besides the account itself."""

    feeds: Mapping[str, Instant] | None = None
    """Tenant -> when its newest payment event was seen. None = nobody watches, as in a replay: no feed is stale."""
    caps: Mapping[tuple[str, str], int] = {}


class Day(msgspec.Struct, gc=False):
    """An instant on the tenant's calendar."""

    at: Instant
    day: int
    """The latest local date whose contact hours have begun, as a day number."""
    overdue_before: Instant
    """Invoices due before this are overdue: their due date is an earlier one than `day`."""


class Look(msgspec.Struct, gc=False):
    """One account at the instant at which it is decided on."""

    key: str
    today: Day
    facts: Facts
    course: Course
    standing: Standing
    gate: Gate
    mode: Literal["live", "replay"]
    """`live` expects to hear of each contact from interaction-events, `replay` takes the plan for the deed."""
    feeds: Mapping[str, Instant] | None = None


class Choice(msgspec.Struct, gc=False):
    """What was chosen, out of what, and why."""

    action: str
    reasons: tuple[str, ...]
    actions: tuple[Candidate, ...]
    review_at: Instant | None = None
    step: str | None = None
    """The step or action of the strategy that it carries out."""
    invoice_ids: tuple[str, ...] = ()
    """What it is about, the invoice that ruled it first."""
    draft: Draft | None = None
    denied: tuple[str, ...] = ()
    """Rules that stood against what would have been chosen."""
    escalation: str = ""
    """Why it is handed to a person; empty = the first of the reasons."""
    arm: Arm = "policy"
    segment: str = ""
    currency: str | None = None
    at_stake: int = 0
    pay_wait: float | None = None
    context: Context | None = None
    experiment: str = ""
    hold_out: float = NONE
    explore: float = NONE


class Policy(Protocol):
    """Chooses an account's next action in two steps, so that the account need not be kept until it has been scored."""

    name: str
    """As decisions say which policy made them."""
    reads_all: bool
    """Whether it looks at all facts of an account that owes, so that they are better decoded whole at once."""

    def consider(self, look: Look) -> Any:
        """What there is to choose from, for `choose`; a `Choice` when no score can change it."""

    def choose(self, prospect: Any, score: float, decision_id: str, caps: Caps) -> Choice:
        """The choice.

        Args:
            prospect: of the same policy's `consider`.
            caps: what is left of them; a contact that is chosen takes one away.
        """

    def contacts(self, look: Look) -> bool:
        """Whether it ever contacts the account: not one that is held out."""

    def look_again(self, look: Look) -> Instant | None:
        """When an account that is only folded, and not decided on, is to be looked at."""


WAIT_CHOSEN = Candidate(action="wait", value=0.0, probability=1.0, allowed=True)
WAIT_ELSE = Candidate(action="wait", value=0.0, probability=0.0, allowed=True)
WAIT_ALONE = (WAIT_CHOSEN,)


def earliest(*moments: Instant | None) -> Instant | None:
    """The first of some instants that may be missing."""
    first = None
    for moment in moments:
        if moment is not None and (first is None or moment < first):
            first = moment
    return first
