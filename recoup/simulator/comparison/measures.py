"""What a policy brings and costs, from a run's tally: for all customers, and for each segment of them."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from recoup.simulator.world.habits import NAMES
from recoup.simulator.world.places import PLACES
from recoup.simulator.world.population import Population
from recoup.simulator.world.tally import Tally


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Of some customers in one run. Money in whole minor units of US dollars, other currencies at one fixed rate."""

    accounts: int
    became_due_minor: int
    """All that was asked for and came due by the end."""
    recovered_minor: int
    """What was received, less what went back."""
    recovered_share: float
    days_to_cash: float
    """Days past due on which the money came, weighted by amount; what came before its due date counts 0."""
    days_overdue: float
    """Mean days that a unit of money was overdue within the run, whether it has come since or not."""
    contacts: int
    contacts_by_channel: dict[str, int]
    complaints: int
    opt_outs: int
    disputes: int
    promises: int
    promises_kept: int
    plans: int
    to_person: int
    cost_minor: int
    net_minor: int
    """Recovered less cost."""


NUMBERS = tuple(field.name for field in msgspec.structs.fields(Measures) if field.type in (int, float))
"""Those that have a mean over seeds."""


def measure(tally: Tally, members: NDArray[np.bool_]) -> Measures:
    """The measures of some customers."""
    received, due = float(tally.received[members].sum()), float(tally.became_due[members].sum())
    contacts = {channel: int(counts[members].sum()) for channel, counts in tally.contacts.items()}
    counted = {name: int(counts[members].sum()) for name, counts in tally.counted.items() if name != "cures"}
    cost = float(tally.cost[members].sum())
    return Measures(
        accounts=int(members.sum()),
        became_due_minor=round(due),
        recovered_minor=round(received),
        recovered_share=round(received / due, 6) if due else 0.0,
        days_to_cash=round(float(tally.late_cents[members].sum()) / received, 4) if received > 0 else 0.0,
        days_overdue=round(float(tally.overdue_cents[members].sum()) / due, 4) if due else 0.0,
        contacts=sum(contacts.values()),
        contacts_by_channel=contacts,
        cost_minor=round(cost),
        net_minor=round(received - cost),
        **counted,
    )


def segments(population: Population) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Every segment that has members: by habit, by region, by tenant."""
    for number, name in enumerate(NAMES):
        yield f"habit:{name}", population.habit == number
    for region in dict.fromkeys(place.name for place in PLACES):
        numbers = [number for number, place in enumerate(PLACES) if place.name == region]
        yield f"region:{region}", np.isin(population.place, numbers)
    for number, tenant in enumerate(population.tenant_ids):
        yield f"tenant:{tenant}", population.tenant == number
