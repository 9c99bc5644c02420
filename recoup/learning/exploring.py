"""A log to learn from, made in the simulated world: mostly waits, now and then an action drawn at random."""

from collections.abc import Callable, Sequence

import msgspec

from recoup.learning.story import Gathered
from recoup.simulator.comparison.policies import Policy, decides
from recoup.simulator.world.population import Population
from recoup.simulator.world.run import World
from schemas.strategies import ActionStrategy, Explore

FLOOR = -1e12
"""Everything that is allowed is drawn from, whatever it seems to be worth."""
CAUTION = 5.0
"""So that nothing seems worth it and the rest of the decisions are waits: an effect is measured against doing nothing,
not against doing the same three days later."""
IDLE_HOURS = 53.0
"""Looks fall on all hours of the day."""

Progress = Callable[[str, float, str], None]


def explorer(strategy: ActionStrategy, share: float) -> ActionStrategy:
    """The strategy's actions, drawn at random in a share of the decisions; in the others nothing is done."""
    return msgspec.structs.replace(
        strategy,
        name=f"{strategy.name[:90]}-explore",
        policy="nba",
        caution=CAUTION,
        explore=Explore(share=share, floor=dict.fromkeys(("USD", "GBP", "EUR"), FLOOR)),
        review=msgspec.structs.replace(strategy.review, idle_hours=IDLE_HOURS),
        learned=None,
    )


def explored(
    strategy: ActionStrategy, *, accounts: int, days: int, seeds: Sequence[int], share: float, progress: Progress
) -> list[Gathered]:
    """The log of each seed."""
    policy = Policy("explore", explorer(strategy, share))
    logs = []
    for number, seed in enumerate(seeds):
        population = Population(seed, accounts)
        log = Gathered(strategy)

        def show(day: int, number: int = number, seed: int = seed) -> None:
            progress("explore", (number + day / days) / len(seeds), f"seed {seed}, day {day} of {days}")

        World(population).run(decides(policy, population.tenants), days, progress=show, log=log)
        logs.append(log)
    return logs
