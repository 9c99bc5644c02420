"""Logs of the simulated world, where the real core decides: its explored decisions, and what a candidate earns there itself.

The same customers live under the policy that logs and under the candidate; what the candidate brought in its own run is taken
for the truth. It is known to a few percent only, which makes coverage a little too low; the logs are drawn without
replacement from one long one, which makes it a little too high.
"""

from typing import Any

import msgspec
import numpy as np

from models.calendar import DAY, instant
from models.evaluation.decisions import Decided, Material, Money, materials
from models.evaluation.estimators import Estimator
from models.evaluation.judge import judge
from models.evaluation.log import Log, Numbers, Places
from models.evaluation.policies import Logged, OfStrategy, Policy
from recoup.simulator.comparison.policies import Policy as Simulated
from recoup.simulator.comparison.policies import decides, policy_named
from recoup.simulator.world.log import Account, Kept
from recoup.simulator.world.opening import START
from recoup.simulator.world.population import Population
from recoup.simulator.world.run import World
from schemas.payments import PaymentReceived, PaymentReversed
from schemas.strategies import ActionStrategy, Explore

TENANT = "brightwater"
CUSTOMERS = 10_000
SEED = 77
WINDOW_DAYS = 14
DAYS = 2 * WINDOW_DAYS - 1
"""Of the simulation: an account's first window ends in it, a second one does not."""
ACCOUNTS = 800
"""Of a log."""
LOGGING, CANDIDATE = 0.4, 0.15
"""Shares of exploration; the candidate is bolder as well."""


def coverage(runs: int) -> dict[str, Any]:
    """How often the intervals of logs drawn from one long log held what the candidate brought itself."""
    strategy = policy_named("nba").strategy
    if strategy is None:
        raise ValueError("the simulator's nba has no strategy")
    explored = msgspec.structs.replace(strategy, name="explored", explore=Explore(share=LOGGING))
    bold = msgspec.structs.replace(strategy, name="bold", explore=Explore(share=CANDIDATE), scarcity=0.0)
    expected = float(np.add.reduceat(*_returns(_run(bold, Logged()).log)).mean())
    pool = _run(explored, OfStrategy(bold, "bold"))
    names: tuple[Estimator, ...] = ("dr", "snips", "ips", "dm")
    right: dict[str, int] = dict.fromkeys(names, 0)
    off: dict[str, float] = dict.fromkeys(names, 0.0)
    judged, effective = 0, 0.0
    for run in range(runs):
        log, candidate = _drawn(pool, np.random.default_rng([SEED, run]))
        found = judge(log, candidate, seed=run, resamples=500)
        judged += not found.refused
        effective += found.diagnostics.effective / runs
        for estimate in found.estimates:
            right[estimate.estimator] += estimate.low <= expected <= estimate.high
            off[estimate.estimator] += estimate.value - expected
    return {
        "runs": runs,
        "refused": runs - judged,
        "pool_accounts": pool.log.accounts,
        "accounts": ACCOUNTS,
        "longest": int(np.bincount(pool.log.episode).max()),
        "effective": round(effective),
        "logged": round(float(np.add.reduceat(*_returns(pool.log)).mean()), 1),
        "truth": round(expected, 1),
        "coverage": {name: round(count / judged, 3) for name, count in right.items()},
        "bias": {name: round(total / judged / expected, 4) for name, total in off.items()},
    }


def _run(strategy: ActionStrategy, policy: Policy) -> Material:
    """The customers under a strategy, put to a policy."""
    everybody = Population(SEED, 1).tenants
    population = Population(SEED, CUSTOMERS, {TENANT: everybody[TENANT]})
    kept = Kept(CUSTOMERS)
    World(population).run(decides(Simulated(strategy.name, strategy), population.tenants), DAYS, log=kept)
    decided = [its for account in kept.accounts for its in _decided(account)]
    decided.sort(key=lambda its: its.decision.account_id)
    (material,) = materials(decided, policy, WINDOW_DAYS * DAY, START + DAYS * DAY)
    return material


def _decided(account: Account) -> list[Decided]:
    money: list[Money] = []
    paid_at: dict[str, int] = {}
    for event in account.events:
        if isinstance(event, PaymentReceived):
            paid_at[event.payment_id] = instant(event.occurred_at)
            money.append(Money(instant(event.occurred_at), event.currency, event.amount_minor))
        elif isinstance(event, PaymentReversed):
            came = paid_at.get(event.payment_id)
            money.append(Money(instant(event.occurred_at), event.currency, -event.amount_minor, came))
    return [
        Decided(decision, tuple(money) if place == 0 else ()) for place, (decision, _) in enumerate(account.decisions)
    ]


def _returns(log: Log) -> tuple[Numbers, Places]:
    return log.reward, np.flatnonzero(np.diff(log.episode, prepend=-1))


def _drawn(pool: Material, rng: np.random.Generator) -> tuple[Log, Numbers]:
    """A log of ACCOUNTS accounts."""
    log = pool.log
    chosen = np.zeros(log.accounts, dtype=bool)
    chosen[rng.choice(log.accounts, ACCOUNTS, replace=False)] = True
    rows = np.flatnonzero(chosen[log.account])
    _, account = np.unique(log.account[rows], return_inverse=True)
    _, episode = np.unique(log.episode[rows], return_inverse=True)
    drawn = Log(account, episode, log.action[rows], log.logged[rows], log.reward[rows], log.x[rows])
    return drawn, pool.candidate[rows]
