"""What befalls customers whatever is done to them: illness of every kind that the rules ask about, at realistic rates."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from models.calendar import DAY, HOUR, utc
from models.clock import Instant
from recoup.simulator.world import habits
from recoup.simulator.world.draws import Uniforms
from recoup.simulator.world.opening import phone_of
from recoup.simulator.world.places import PLACES
from recoup.simulator.world.purposes import Purpose
from schemas import crm
from schemas.envelope import Event

if TYPE_CHECKING:
    from recoup.simulator.world.life import Life

SCRUB_DAYS = 28
"""Between two look-ups of a placed account's number in the reassigned-numbers database."""
BREATHING_DAYS = 60


def befall(life: "Life", day: int) -> None:
    """Foresee the day's blows of fate."""
    for purpose, rate, happen in _FATES:
        hit = life.draws.uniform(day, purpose) < rate(life)
        for customer in np.nonzero(hit)[0].tolist():
            at = life.start + day * DAY + HOUR * (7 + int(15 * life.draws.one(customer, day, Purpose.LIFE_AT)))
            life.later(at, customer, _act(life, customer, happen))
    _scrub(life, day)


def _act(life: "Life", customer: int, happen: Any) -> Any:
    def act(at: Instant) -> list[Event]:
        return list(happen(life, customer, at))

    return act


def _scrub(life: "Life", day: int) -> None:
    population = life.population
    looked_up = population.third_party & population.has_phone & ~population.wrong_number
    for customer in np.nonzero(looked_up)[0].tolist():
        if (customer + day) % SCRUB_DAYS == 0 and life.left[customer].any():
            at = life.start + day * DAY + 5 * HOUR
            life.tell(at, customer, life.opening.scrubbed(customer, at))


def _consumers(life: "Life", rate: Any) -> Any:
    return np.where(life.population.business, 0.0, rate)


def _bankrupt(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    life.gone[customer] = True
    yield life.deeds.happened(crm.BankruptcyFiled, customer, at, chapter="7")


def _dies(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    life.gone[customer] = True
    yield life.deeds.happened(crm.DeceasedReported, customer, at)


def _attorney(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    yield life.deeds.happened(crm.RepresentationChanged, customer, at, represented=True, kind="attorney")


def _breathing(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    yield life.deeds.happened(crm.BreathingSpaceStarted, customer, at, ends_at=utc(at + BREATHING_DAYS * DAY))


def _british(life: "Life") -> Any:
    british = np.array([place.country == "GB" for place in PLACES])[life.population.place]
    return np.where(british & ~life.population.business, life.having(habits.BREATHING), 0.0)


def _fraud(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    life.tell(at + 20 * DAY, customer, life.deeds.happened(crm.FraudReported, customer, at + 20 * DAY, withdrawn=True))
    yield life.deeds.happened(crm.FraudReported, customer, at, kind="identity_theft")


def _held(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    days = 3 + int(11 * life.draws.one(customer, life.day, Purpose.HELD_FOR))
    yield life.deeds.happened(
        crm.HoldPlaced, customer, at, hold_id=f"HOLD-{customer}-{life.day}", until=utc(at + days * DAY)
    )


def _vulnerable(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    yield life.deeds.happened(crm.VulnerabilityReported, customer, at, kind="V1")


def declare_hardship(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    """Says that they cannot pay for now; once."""
    if not life.hard[customer]:
        life.hard[customer] = True
        yield life.deeds.happened(crm.HardshipDeclared, customer, at)


def _takes_consent_back(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    if life.population.has_phone[customer]:
        yield life.deeds.happened(
            crm.ConsentChanged,
            customer,
            at,
            channel="sms",
            state="revoked",
            address=phone_of(life.population.number_of(customer)),
        )


def _writes(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    yield life.deeds.said(customer, at, "email", life.draws.one(customer, life.day, Purpose.WRITES_WHAT))


def _stops(life: "Life", customer: int, at: Instant) -> Iterator[Event]:
    life.tally.count("opt_outs", customer)
    yield life.deeds.opted_out(customer, at, "sms" if life.population.has_phone[customer] else "email")


def _owing(life: "Life", rate: Any) -> Uniforms:
    owing: Uniforms = np.where((life.left > 0).any(axis=1), rate, 0.0)
    return owing


_FATES: tuple[tuple[int, Any, Any], ...] = (
    (Purpose.BANKRUPT, lambda life: life.having(habits.BANKRUPT) * ~life.gone, _bankrupt),
    (Purpose.DIES, lambda life: _consumers(life, habits.DIES) * ~life.gone, _dies),
    (Purpose.ATTORNEY, lambda life: _consumers(life, habits.ATTORNEY), _attorney),
    (Purpose.BREATHING, _british, _breathing),
    (Purpose.FRAUD, lambda life: _consumers(life, habits.FRAUD), _fraud),
    (Purpose.HELD, lambda life: _owing(life, habits.HELD), _held),
    (Purpose.VULNERABLE, lambda life: _consumers(life, habits.VULNERABLE), _vulnerable),
    (Purpose.HARDSHIP, lambda life: _owing(life, life.having(habits.DECLARES_HARDSHIP)), declare_hardship),
    (Purpose.CONSENT, lambda life: _consumers(life, habits.CONSENT_TAKEN_BACK), _takes_consent_back),
    (Purpose.WRITES, lambda life: _owing(life, habits.WRITES), _writes),
    (Purpose.STOPS, lambda life: _owing(life, habits.MAIL_STOPS), _stops),
)
"""What is drawn, how likely it is for each customer today, and what comes of it."""
