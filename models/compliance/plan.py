"""The rules made ready for the hot path: for customers of one kind, in one span of dates, for one kind of contact.

What a contact's rules ask is sorted by the facts that could make them deny. An account without such facts is answered
from what was worked out for all of its kind; only the rest is evaluated, by the same functions as in the exact judge.
"""

from bisect import bisect_right

from models.account.interactions import InteractionFacts
from models.account.profile import CrmFacts, Debt
from models.calendar import DAY, HOUR
from models.clock import Instant
from models.compliance.case import Case
from models.compliance.daytime import Clocked, clocked, in_common, next_open, permits
from models.compliance.exact import NO_CONTACT_POINT, asked_at, binds, force
from models.compliance.frequency import NEVER
from models.compliance.gate import ALLOWED, Verdict
from models.compliance.packs import Rules
from models.compliance.sentences import reason_of
from models.compliance.who import Who
from schemas.rules import (
    Consent,
    CurrentConsent,
    Daytime,
    Distance,
    ExtraCalls,
    Limit,
    NoBreathingSpace,
    NoConversation,
    NoDispute,
    NoFlag,
    NoHold,
    NoOptOut,
    NoRevocation,
    Noticed,
    OwnAddress,
    Requirement,
    RightParty,
    Wishes,
    WorkAllowed,
)

FLAGS, HOLDS, DISPUTES, BREATHING, TALKS, PARTY, OUTS, GRANTS, WROTE, SPOKEN, ALWAYS = (1 << bit for bit in range(11))
"""Facts that an account may have; every account has the last. A rule whose facts are absent answers as without any."""

NEEDS: dict[type[Requirement], int] = {
    NoFlag: FLAGS,
    NoHold: HOLDS,
    NoDispute: DISPUTES,
    NoBreathingSpace: BREATHING,
    NoConversation: TALKS,
    RightParty: PARTY,
    NoOptOut: OUTS,
    NoRevocation: OUTS,
    Wishes: OUTS,
    Consent: GRANTS,
    CurrentConsent: GRANTS | WROTE,
    OwnAddress: GRANTS | WROTE,
    Noticed: SPOKEN,
}
"""Limits and distances are asked of the number of contacts and the last of them, hours of the clock."""
DENY_WITHOUT = (Consent, CurrentConsent, OwnAddress)
ELSEWHERE = (ExtraCalls, WorkAllowed)
"""What needs facts that the exact judge is asked about."""
OF_COLLECTION = ("collection",)


Kind = tuple[str, str, str, bool, bool, bool]
"""What tells contacts apart before any fact of the account is looked at: channel, purpose, mode, whether it goes to the
workplace, to a verified address, and whether there is nowhere to send it. A plain tuple: it is made for each contact."""

CHANNELS = {"sms": 1, "email": 2, "call": 4 | 8, "voicemail": 8, "letter": 16, "all": 31}
"""The channels that a word about a channel is about, as bits."""
OWN = CHANNELS | {"call": 4}
NUMBERS = 1 | 4 | 8


Split = tuple[
    tuple[str, ...], tuple[tuple[str, Requirement], ...], tuple[Requirement, ...], tuple[tuple[str, Noticed], ...]
]


class Contacts:
    """Contacts of one kind to customers of one kind, while the same rules are in force."""

    __slots__ = (
        "_at",
        "_clocks",
        "_closed",
        "_entries",
        "_hours",
        "_missing",
        "_named",
        "_plain",
        "_rules",
        "_splits",
        "asked",
        "bound",
        "channel",
        "distances",
        "ends",
        "least",
        "limits",
        "mask",
        "stopping",
    )

    def __init__(self, rules: Rules, case: Case, ends: Instant) -> None:
        """`case`: any contact of that kind, of an account without facts. `ends`: from then on other rules are in force."""
        self._rules = rules
        self.asked = asked_at(rules, case, case.at)
        self.ends = ends
        self._missing = (*case.who.missing, *((NO_CONTACT_POINT,) if case.no_point else ()))
        self._hours: list[tuple[str, Clocked]] = []
        self._entries: list[tuple[str, Requirement, int]] = []
        self.limits: list[tuple[str, Limit, Instant]] = []
        """Rule, limit, and a time beyond which no contact can be in its window, on whatever clock."""
        self.distances: list[tuple[str, Instant]] = []
        """Rule, and for how long after the last collection contact it denies."""
        self.mask = 0
        self.channel = OWN[case.channel]
        by_machine = self.channel & NUMBERS and (case.mode != "live" or case.channel == "sms")
        self.stopping = NUMBERS if by_machine else self.channel
        """The channels an opt-out from which may end this contact."""
        for name, required, _ in self.asked.required:
            self._sort(name, required, case)
        self.bound = [limit for _, limit, _ in self.limits]
        self.least = min((limit.most for _, limit, _ in self.limits), default=1 << 30)
        """With fewer contacts every limit permits."""
        self._clocks = in_common([one for _, one in self._hours])
        self._at: Instant = -1
        self._closed: tuple[str, ...] = ()
        self._plain: dict[int, Verdict] = {}
        self._splits: dict[int, Split] = {}
        self._named: dict[tuple[str, ...], Verdict] = {}

    def _sort(self, name: str, required: Requirement, case: Case) -> None:
        if isinstance(required, Daytime):
            found = clocked(required, case)
            if found is not None:
                self._hours.append((name, found))
        elif isinstance(required, Limit):
            self.limits.append((name, required, (required.days + 1) * DAY))
        elif isinstance(required, Distance) and required.purposes == OF_COLLECTION:
            self.distances.append((name, round(required.hours * HOUR)))
        elif not isinstance(required, ELSEWHERE) and not (isinstance(required, OwnAddress) and case.verified):
            # Which kind of line it is, only the account's facts say.
            needs = ALWAYS if required.except_lines else NEEDS.get(type(required), ALWAYS)
            self._entries.append((name, required, needs))
            self.mask |= needs

    def split(self, facts: int) -> Split:
        """The rules that deny for good for want of facts, what is to be evaluated, what of that ages, and notices asked for.

        Args:
            facts: what the account has of those that are asked for (`mask`).
        """
        known = self._splits.get(facts)
        if known is None:
            lacking = tuple(
                name
                for name, required, needs in self._entries
                if isinstance(required, DENY_WITHOUT) and not needs & facts and not required.except_lines
            )
            asked = [(name, required) for name, required, needs in self._entries if needs & facts]
            notices = tuple((name, required) for name, required in asked if isinstance(required, Noticed))
            todo = tuple((name, required) for name, required in asked if not isinstance(required, Noticed))
            ages = tuple(required for _, required in todo if isinstance(required, CurrentConsent))
            known = self._splits[facts] = (*self._missing, *lacking), todo, ages, notices
        return known

    def closed(self, at: Instant) -> tuple[str, ...]:
        """The rules about hours that deny at an instant; a batch asks for the same one again and again."""
        if self._at != at:
            self._closed = tuple([name for name, one in self._hours if not permits(one, at)])
            self._at, self._plain = at, {}
        return self._closed

    def opens(self, at: Instant) -> Instant | None:
        """The first instant from `at` on within all hours."""
        for one in self._clocks:
            if not permits(one, at):
                return next_open(self._clocks, at)
        return at

    def plain(self, facts: int, at: Instant) -> Verdict | None:
        """The answer to an account of which nothing has to be evaluated; None = only the exact judge can find it."""
        closed = self.closed(at)
        known = self._plain.get(facts)
        if known is None:
            lacking = self.split(facts)[0]
            if lacking:
                known = self.named((*lacking, *closed))
            elif closed:
                again = self.opens(at)
                if again is not None and again >= self.ends:
                    return None
                known = self.denied(closed, again)
            else:
                known = ALLOWED
            self._plain[facts] = known
        return known

    def named(self, names: tuple[str, ...]) -> Verdict:
        """Denied for good by these rules."""
        known = self._named.get(names)
        if known is None:
            if len(self._named) > 4_096:
                self._named.clear()
            known = self._named[names] = self.denied(names, None)
        return known

    def denied(self, names: tuple[str, ...], again: Instant | None) -> Verdict:
        """Denied by these rules until then."""
        if again is None:
            ids = tuple(sorted(set(names)))
            return Verdict(False, ids, tuple([reason_of(name, self._rules) for name in ids]))  # noqa: FBT003 - its first field
        same = self.named(names)
        return Verdict(False, same.denied_by, same.reasons, again)  # noqa: FBT003 - likewise


class Plan:
    """The rules that bind customers of one kind about debts of one kind, by date."""

    __slots__ = ("_by_span", "_debt", "_edges", "_first", "_known", "_last", "_rules", "minds_debt", "who")

    def __init__(self, rules: Rules, who: Who, debt: Debt | None) -> None:
        self._rules, self.who, self._debt = rules, who, debt
        bound = [rule for rule in rules if rule.evaluated == "send" and binds(rule, who, debt)]
        self.minds_debt = any(
            rule.binds.more_days_past_due_than is not None or rule.binds.not_secured_by for rule in bound
        )
        """Whether it matters since when the debt is past due and what secures it."""
        spans = [force(rule, who, debt) for rule in bound]
        self._edges = sorted({edge for span in spans for edge in span if 0 < edge < NEVER})
        self._by_span: dict[int, dict[Kind, Contacts]] = {}
        self._first: Instant = 0
        self._last: Instant = 0
        self._known: dict[Kind, Contacts] = {}

    def contacts(self, kind: Kind, at: Instant) -> Contacts:
        """The contacts of a kind at an instant."""
        if not self._first <= at < self._last:
            place = bisect_right(self._edges, at)
            self._first = self._edges[place - 1] if place else 0
            self._last = self._edges[place] if place < len(self._edges) else NEVER
            self._known = self._by_span.setdefault(place, {})
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = Contacts(self._rules, self._bare(kind, at), self._last)
        return found

    def _bare(self, kind: Kind, at: Instant) -> Case:
        """A contact of that kind of an account without facts."""
        channel, purpose, mode, workplace, verified, no_point = kind
        crm = CrmFacts() if self._debt is None else CrmFacts(debts={"": self._debt})
        return Case(
            at=at,
            channel=channel,
            who=self.who,
            crm=crm,
            interactions=InteractionFacts(),
            purpose=purpose,
            mode=mode,
            debt_id=None if self._debt is None else "",
            workplace=workplace,
            verified=verified,
            no_point=no_point,
        )
