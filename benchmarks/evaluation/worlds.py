"""Small worlds whose truth is known: what a policy earns in them is computed, not estimated.

An account has a temper, high or low, that its context shows with noise. Contacting earns more from the one and, on the next
step, tires the other; so the value of a policy depends on what it did before, and an estimator that looks at single
decisions gets it wrong.
"""

import itertools

import msgspec
import numpy as np

from models.evaluation.log import Log, Numbers

WAIT, EMAIL, CALL = range(3)
ACTIONS = 3
AMOUNT = 5_000.0
"""Mean payment, in minor units; payments are lognormal."""


class World(msgspec.Struct, frozen=True):
    """How accounts react. `steps` decisions an episode; 1 = a plain bandit."""

    steps: int
    pays: tuple[tuple[float, float, float], ...] = ((0.05, 0.08, 0.20), (0.15, 0.30, 0.22))
    """P(payment after a step) by temper and action, rested."""
    tired: float = 0.3
    """Times as likely, on the step after a call."""


def behaviour(tempers: Numbers) -> Numbers:
    """The policy that logs: mostly waits, explores the rest; a little by what the context shows. Shape (n, 3)."""
    shown = tempers > 0.5
    return np.where(shown[:, None], (0.40, 0.35, 0.25), (0.50, 0.20, 0.30))


def candidate(tempers: Numbers) -> Numbers:
    """The policy that is judged: writes to those who look willing, calls the others. Shape (n, 3)."""
    shown = tempers > 0.5
    return np.where(shown[:, None], (0.25, 0.50, 0.25), (0.20, 0.20, 0.60))


def log_of(world: World, accounts: int, rng: np.random.Generator) -> tuple[Log, Numbers]:
    """What `behaviour` logs of so many accounts, one or two episodes each, and `candidate` in the same places."""
    episodes = rng.integers(1, 3, accounts)
    owner = np.repeat(np.arange(accounts), episodes)
    n = len(owner)
    temper = np.repeat(rng.integers(0, 2, accounts), episodes)
    after_call = np.zeros(n, dtype=bool)
    rows = []
    for _ in range(world.steps):
        shows = np.where(rng.random(n) < SHOWN, temper, 1 - temper).astype(np.float64)
        p = behaviour(shows)
        action = (rng.random(n)[:, None] > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
        chance = np.asarray(world.pays)[temper, action] * np.where(after_call, world.tired, 1.0)
        paid = (rng.random(n) < chance) * rng.lognormal(np.log(AMOUNT) - SPREAD**2 / 2, SPREAD, n)
        rows.append((shows, p, action, paid, after_call.astype(np.float64)))
        after_call = action == CALL
    shows, p, action, paid, tired = (np.stack(part, axis=1) for part in zip(*rows, strict=True))
    flat = shows.ravel()
    log = Log(
        account=np.repeat(owner, world.steps),
        episode=np.repeat(np.arange(n), world.steps),
        action=action.ravel(),
        logged=p.reshape(-1, ACTIONS),
        reward=paid.ravel(),
        x=np.column_stack([flat, tired.ravel(), np.tile(np.arange(world.steps), n)]),
    )
    return log, candidate(flat)


SHOWN = 0.8
"""P(the context shows the right temper), anew at each step."""
SPREAD = 0.6
"""Of the logarithm of a payment."""


def truth(world: World) -> float:
    """What `candidate` earns an episode, summed over everything that can happen."""
    choices = candidate(np.array([0.0, 1.0]))
    total = 0.0
    for temper in (0, 1):
        seen = SHOWN * choices[temper] + (1 - SHOWN) * choices[1 - temper]
        for path in itertools.product(range(ACTIONS), repeat=world.steps):
            before = (WAIT, *path[:-1])
            earned = sum(
                world.pays[temper][now] * (world.tired if last == CALL else 1.0)
                for last, now in zip(before, path, strict=True)
            )
            total += 0.5 * float(np.prod(seen[list(path)])) * earned * AMOUNT
    return total
