"""What a contact leads to: whether it arrives and is noticed, what the customer says at once, and what stays of it.

Whether somebody pays because of it is not drawn here: it adds to the odds with which `life` draws every day.
"""

from functools import lru_cache
from math import exp

from models.calendar import DAY, HOUR, zone
from models.clock import Instant
from recoup.simulator.world import habits
from recoup.simulator.world.fate import declare_hardship
from recoup.simulator.world.habits import NAMES, WAYS
from recoup.simulator.world.life import Act, Life
from recoup.simulator.world.purposes import Purpose
from recoup.simulator.world.tally import CHANNELS
from schemas import crm, interactions
from schemas.contacts import ContactRequested
from schemas.envelope import Event

REPORT = HOUR
"""After which the provider's reports about a contact are heard."""
CODES = {channel: number for number, channel in enumerate(CHANNELS)}
WAY = {way: number for number, way in enumerate(WAYS)}
POOR = (NAMES.index("hardship"), NAMES.index("insolvent"))
DISPUTING = NAMES.index("disputing")


class Answers:
    """How a population answers to contacts."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.population = life.population
        self._offers: set[str] = set()
        """Contacts that offer a plan."""
        self._third = life.population.third_party.tolist()
        self._zones = [
            zone((place.time_zones or (tenant.time_zone,))[0])
            for place, tenant in ((life.population.place_of(c), life.population.tenant_of(c)) for c in _all(life))
        ]

    def hear(self, customer: int, contact: ContactRequested, now: Instant, *, offers_plan: bool = False) -> None:
        """A contact leaves now; what the provider reports and what the customer says is heard of later."""
        life, channel = self.life, contact.channel
        if offers_plan:
            self._offers.add(contact.contact_id)
        tally = life.tally
        tally.contacts[channel][customer] += 1
        tally.contacts_by_day[life.day] += 1
        tally.cost[customer] += habits.COSTS[channel]
        if contact.purpose == "opt_out_confirmation":
            life.tell(now + REPORT, customer, life.deeds.left(contact, customer, now + life.house.sends_after))
            return
        if channel in ("call", "voicemail"):
            self._ring(customer, contact, now)
        else:
            self._deliver(customer, contact, now)

    # -- in writing ----------------------------------------------------------------------------------------------------

    def _deliver(self, customer: int, contact: ContactRequested, now: Instant) -> None:
        life, channel = self.life, contact.channel
        reports: list[Event] = [life.deeds.left(contact, customer, now + life.house.sends_after)]
        if self._luck(customer, Purpose.DELIVERED, channel) < habits.BOUNCES[channel]:
            reports.append(life.deeds.reported(interactions.ContactBounced, contact, customer, now + HOUR // 2))
            life.tell(now + REPORT, customer, *reports)
            return
        if channel != "letter":
            reports.append(life.deeds.reported(interactions.ContactDelivered, contact, customer, now + HOUR // 4))
        wrong = channel == "sms" and self.population.wrong_number[customer]
        noticed = not wrong and self._luck(customer, Purpose.NOTICED, channel) < habits.NOTICES[channel] * (
            1.0 if channel == "letter" else self._fits(customer, now)
        )
        if noticed and channel == "email":
            reports.append(life.deeds.reported(interactions.ContactOpened, contact, customer, now + HOUR * 3 // 4))
            if life.house.link_in_mails and self._luck(customer, Purpose.CLICKED, channel) < habits.CLICKS:
                clicked = life.deeds.reported(interactions.ContactClicked, contact, customer, now + HOUR * 4 // 5)
                reports.append(clicked)
        life.tell(now + REPORT, customer, *reports)
        if noticed:
            days = habits.READ_AFTER_DAYS.get(channel, 0)
            life.later(now + REPORT + days * DAY, customer, self._noticing(customer, contact, channel))

    # -- by telephone --------------------------------------------------------------------------------------------------

    def _ring(self, customer: int, contact: ContactRequested, now: Instant) -> None:
        life = self.life
        outcome = self._picks_up(customer, contact.channel, now)
        life.tally.cost[customer] += habits.MINUTES[outcome] * habits.MINUTE
        agent, seconds = self._handled(customer, contact.channel, outcome)
        dialled = now + life.house.sends_after
        over = dialled + round((seconds or 0.0) * 1000)
        left = life.deeds.left(contact, customer, dialled)
        life.tell(now + REPORT, customer, left, life.deeds.called(contact, customer, over, outcome, agent, seconds))
        if outcome in ("conversation", "voicemail"):
            life.later(now + REPORT, customer, self._noticing(customer, contact, outcome))

    def _handled(self, customer: int, channel: str, outcome: str) -> tuple[str | None, float | None]:
        """Who telephones, and for how many seconds."""
        agents = self.life.house.agents
        if not agents:
            return None, None
        who = int(self._luck(customer, Purpose.AGENT, channel) * len(agents))
        longer = 0.4 + 1.2 * self._luck(customer, Purpose.TALKED, channel)
        return agents[who], round(60 * habits.MINUTES[outcome] * longer, 1)

    def _picks_up(self, customer: int, channel: str, now: Instant) -> interactions.CallOutcome:
        if self._luck(customer, Purpose.DELIVERED, channel) < 0.04:
            return "not_connected"
        answers = habits.ANSWERS["third_party" if self._third[customer] else "creditor"] * self._fits(customer, now)
        if channel == "call" and self._luck(customer, Purpose.ANSWERED, channel) < answers:
            return "wrong_party" if self.population.wrong_number[customer] else "conversation"
        leaves = channel == "voicemail" or self._luck(customer, Purpose.NOTICED, channel) < habits.LEAVES_VOICEMAIL
        return "voicemail" if leaves else "no_answer"

    # -- what stays of it ----------------------------------------------------------------------------------------------

    def _noticing(self, customer: int, contact: ContactRequested, way: str) -> Act:
        def act(at: Instant) -> list[Event]:
            life, population = self.life, self.population
            if life.gone[customer]:
                return []
            before = float(life.remembers[customer])
            strength = exp(-habits.TIRES * float(population.tires[customer]) * before)
            life.moved[customer] += population.moved[customer, WAY[way]] * strength
            life.remembers[customer] += 1.0
            return self._say(customer, contact, way, at, 1.0 + habits.GROWS * before)

        return act

    def _say(self, customer: int, contact: ContactRequested, way: str, at: Instant, weary: float) -> list[Event]:
        """What the customer says at once; the worst comes first and ends the talk."""
        life, population, channel = self.life, self.population, contact.channel
        deeds, tally = life.deeds, life.tally
        touchy = float(population.touchy[customer]) * weary
        if self._luck(customer, Purpose.COMPLAINED, channel) < habits.COMPLAINS[channel] * touchy:
            life.angry[customer] += habits.ANGRY
            tally.count("complaints", customer)
            tally.cost[customer] += habits.COMPLAINT
            return [deeds.complained(customer, at, channel)]
        if self._luck(customer, Purpose.OPTED_OUT, channel) < habits.OPTS_OUT[channel] * touchy:
            tally.count("opt_outs", customer)
            return [deeds.opted_out(customer, at, "call" if channel == "voicemail" else channel)]
        third = self._third[customer] and not population.business[customer]
        if third and self._luck(customer, Purpose.CEASED, channel) < habits.CEASES * touchy:
            return [deeds.happened(crm.CeaseRequested, customer, at, form="written")]
        return self._answer(customer, contact, way, at)

    def _answer(self, customer: int, contact: ContactRequested, way: str, at: Instant) -> list[Event]:
        life, population, channel = self.life, self.population, contact.channel
        habit, talks = int(population.habit[customer]), way == "conversation"
        if habit == DISPUTING and self._luck(customer, Purpose.DISPUTED, channel) < habits.RAISES_DISPUTE:
            for place in range(population.invoices):
                if life.left[customer, place] and (told := life.disputing(customer, place)(at)):
                    return told
        offered = contact.contact_id in self._offers and way != "voicemail"
        if offered and self._luck(customer, Purpose.TOOK_PLAN, channel) < population.takes_plan[customer]:
            return life.take_plan(customer, at)
        said: list[Event] = []
        if talks and habit in POOR and self._luck(customer, Purpose.DECLARED, channel) < habits.SAYS_HARDSHIP:
            said = list(declare_hardship(life, customer, at))
        replies = not talks and way in ("sms", "email") and self._luck(customer, Purpose.SAID, channel) < habits.REPLIES
        if talks or replies:
            if self._luck(customer, Purpose.PROMISED, channel) < population.promises[customer] * (
                1.0 if talks else 0.5
            ):
                days = 2 + int(6 * self._luck(customer, Purpose.PROMISED_DAYS, channel))
                return said + life.promise(customer, at, days, channel)
            if replies:
                which = self._luck(customer, Purpose.WORDS, channel)
                said.append(life.deeds.said(customer, at, channel, which, contact.contact_id))
        return said

    # -- luck ----------------------------------------------------------------------------------------------------------

    def _luck(self, customer: int, purpose: int, channel: str) -> float:
        return self.life.draws.one(customer, self.life.day, purpose + CODES[channel])

    def _fits(self, customer: int, now: Instant) -> float:
        """How well the hour suits the customer, from OFF_HOURS to 1."""
        place = self._zones[customer]
        hour = 12.0 if place is None else (place.wall(now) % DAY) / HOUR
        return habits.OFF_HOURS + (1 - habits.OFF_HOURS) * _bell(
            round(hour - float(self.population.best_hour[customer]), 1)
        )


@lru_cache(maxsize=1_024)
def _bell(off: float) -> float:
    return exp(-0.5 * (off / habits.HOURS_WIDTH) ** 2)


def _all(life: Life) -> range:
    return range(life.population.size)
