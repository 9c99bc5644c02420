"""One contact that might be made and all that is known about it, resolved: rules ask this and nothing else.

Where the knowledge comes from is not told here: an account's state and its tenant, or a file that a person wrote.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from models.account.bars import standing_holds
from models.account.claims import opt_outs_in_doubt
from models.account.interactions import FAILED, InteractionFacts, Touch
from models.account.profile import WHOLE, ContactPoint, CrmFacts, Debt, Hold, Preference
from models.account.seen import instant_of
from models.clock import Instant
from models.compliance.who import Who

PHONE = ("call", "voicemail", "sms")
"""Channels that reach a telephone number."""
ANY_CHANNEL = ""
"""The channel of a planned contact of which only the time is known."""
SUPPRESSED_OPT_OUT = "opt_out:"
SOMEBODY_ELSES = ("wrong_party", "reassigned")


class Case(msgspec.Struct, gc=False):
    """A contact, whom it is to, and the facts up to the instant asked about."""

    at: Instant
    channel: str
    who: Who
    crm: CrmFacts
    interactions: InteractionFacts
    purpose: str = "collection"
    mode: str = "live"
    debt_id: str | None = None
    """None = the account's one debt."""
    address: str = ""
    """Empty = not known."""
    workplace: bool = False
    verified: bool = False
    planned: Sequence[Touch] = ()
    suppressed: tuple[str, ...] = ()
    requested: bool = False
    line: str | None = None
    """What kind of line is said to be called, where the account's facts do not tell."""
    no_point: bool = False
    """It is known that there is nowhere to send it to."""

    @property
    def kind(self) -> str:
        """The kind of contact point: a voicemail is left at a number that is called."""
        return "call" if self.channel == "voicemail" else self.channel

    @property
    def point(self) -> ContactPoint | None:
        """What the account says about the contact point."""
        return point_named(self.crm, self.channel, self.address)

    @property
    def named_at(self) -> Instant:
        """When the address was last named as the customer's; 0 = never."""
        stamps = [point.stamp for point in self.crm.points.values() if point.address == self.address != ""]
        return instant_of(max(stamps, default=0))

    @property
    def line_type(self) -> str | None:
        point, check = self.point, self.crm.checks.get(self.address)
        said = (point.line_type if point else None) or (check.line_type if check else None) or self.line
        return None if said == "unknown" else said

    @property
    def party(self) -> str | None:
        """The role of the linked party whose contact point it is; None = the customer's own."""
        point = self.point
        party = self.crm.parties.get(point.party_id) if point is not None and point.party_id else None
        return party.role if party is not None and party.linked else None

    @property
    def debt(self) -> Debt | None:
        """What was told when the debt was placed; of the account's only one, when none is named."""
        debts = self.crm.debts
        if self.debt_id is not None:
            return debts.get(self.debt_id)
        return next(iter(debts.values())) if len(debts) == 1 else None

    # -- contacts -----------------------------------------------------------------------------------------------------

    def touches(self) -> Iterator[Touch]:
        """Every contact up to now, in both directions, planned ones as if they were made."""
        for touch in self.interactions.touches.values():
            if touch.at <= self.at:
                yield touch
        for touch in self.planned:
            if touch.at <= self.at:
                yield touch

    def made(self) -> Iterator[Touch]:
        """Those of ours that left or may have left, without transactional ones, which never count."""
        for touch in self.touches():
            if not touch.inbound and touch.outcome != FAILED and touch.purpose != "transactional":
                yield touch

    def told_at(self, touch: Touch) -> Instant:
        """When a conversation was told of: it may have begun on the date before."""
        return max(touch.at, instant_of(touch.stamp)) if touch.outcome == "conversation" else touch.at

    def is_about(self, debt_id: str | None) -> bool:
        """Whether something may be about the contact's debt; what names none is about any."""
        return debt_id is None or self.debt_id is None or debt_id == self.debt_id

    def went_to_work(self, touch: Touch) -> bool | None:
        """Whether a contact went to the customer's workplace; None = not known."""
        if touch.workplace is not None or not touch.address:
            return touch.workplace
        point = point_named(self.crm, touch.channel, touch.address)
        return None if point is None else point.workplace

    # -- consent and opt-out -------------------------------------------------------------------------------------------

    def consented(self, *, not_oral: bool = False, to_address: bool = False) -> Instant:
        """When consent to this channel and address was last given; 0 = never."""
        given = 0
        for key, consent in self.crm.consents.items():
            if consent.granted and self._is_meant(key, unknown_is_meant=False):
                channel_only = parts(key)[1] == ""
                if not (not_oral and consent.oral) and not (to_address and channel_only):
                    given = max(given, instant_of(consent.stamp))
        return given

    def opted_out(self) -> Instant:
        """When consent was last taken back or an opt-out came, of this channel and address; 0 = never."""
        out = 0
        for key, consent in self.crm.consents.items():
            if not consent.granted and self._is_meant(key, unknown_is_meant=True):
                out = max(out, instant_of(consent.stamp))
        for key, at in self.interactions.opt_outs.items():
            if at <= self.at and self._is_meant(key, unknown_is_meant=True):
                out = max(out, at)
        if any(kind.startswith(SUPPRESSED_OPT_OUT) for kind in self.suppressed):
            out = self.at  # what lifts it was weighed by whoever asked the list
        return out

    def _is_meant(self, key: str, *, unknown_is_meant: bool) -> bool:
        channel, address, debt_id = parts(key)
        if channel not in (self.channel, self.kind, "all"):
            return False
        if address and address != self.address and not (unknown_is_meant and not self.address):
            return False
        return debt_id == "" or self.is_about(debt_id)

    def may_have_opted_out(self) -> Instant:
        """When a reply came that may be an opt-out and that nobody has read yet; 0 = none waits."""
        if not self.interactions.unread:
            return 0
        doubted = opt_outs_in_doubt(self.interactions)
        return max(doubted.get(self.channel, 0), doubted.get(self.kind, 0), doubted.get("all", 0))

    def stopped_by_sms(self) -> Instant:
        """When texts about the same matter were last opted out of, or consent to them taken back; 0 = never."""
        return max((at for channel, debt, at in self.stops() if channel == "sms" and self.is_about(debt)), default=0)

    def stops(self) -> Iterator[tuple[str, str | None, Instant]]:
        """Every opt-out from calls or texts, and the debt that it was about; none = the whole account."""
        for key, at in self.interactions.stops.items():
            channel, _, debt = key.partition("|")
            yield channel, debt or None, at
        for key, consent in self.crm.consents.items():
            channel, _, debt = parts(key)
            if not consent.granted and channel in (*PHONE, "all"):
                yield channel, debt or None, instant_of(consent.stamp)

    def stands(self, given: Instant) -> bool:
        """Whether a consent given then is still in force. At the same instant an opt-out wins."""
        return given > self.opted_out()

    def wrote_at(self) -> Instant:
        """When a text or e-mail last came from this address, or from one that is not known; 0 = never."""
        latest = 0
        for key, at in self.interactions.wrote.items():
            channel, _, address = key.partition("|")
            if channel == self.channel and (not address or not self.address or address == self.address):
                latest = max(latest, at)
        for touch in self.touches():
            from_here = not self.address or touch.address in (None, self.address)
            if touch.inbound and touch.channel == self.channel and from_here:
                latest = max(latest, touch.at)
        return latest

    def preference(self) -> Preference | None:
        """What the customer said last about this channel, alone or with all others."""
        said, general = self.crm.preferences.get(self.channel), self.crm.preferences.get("")
        return general if said is None or (general is not None and general.stamp > said.stamp) else said

    def hours_wished(self) -> Preference | None:
        """The preference, as far as its hours are about this channel: a letter has none, unless it was named."""
        if self.channel == "letter":
            named, said = self.crm.preferences.get("letter"), self.preference()
            return said if said is named else None
        return self.preference()

    def holds(self) -> list[Hold]:
        """Holds that stand and bind the debt; the time of some may be over."""
        if not self.crm.holds:
            return []
        return [hold for hold in standing_holds(self.crm) if hold.debt_id == WHOLE or self.is_about(hold.debt_id)]


def point_named(crm: CrmFacts, channel: str, address: str) -> ContactPoint | None:
    """What the account says about a contact point: of this channel, else as the same address stands for another one."""
    kind = "call" if channel == "voicemail" else channel
    named = crm.points.get(f"{kind}|{address}")
    if named is not None or not address:
        return named
    same = [point for point in crm.points.values() if point.address == address]
    return max(same, key=lambda point: point.stamp, default=None)


@lru_cache(maxsize=16_384)
def parts(key: str) -> tuple[str, str, str]:
    """Channel, address and debt of a consent's or an opt-out's key; empty = all of them.

    A consent that an older release kept with a scope of its own is one to no channel.
    """
    pieces = key.split("|")
    if len(pieces) > 2 and pieces[2] != "contact":
        return "", "", ""
    return pieces[0], pieces[1], pieces[3] if len(pieces) > 3 else ""
