"""Runs every policy on the same customers, seed by seed, and tells the differences with intervals over the seeds."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import IO

import msgspec
import numpy as np

from recoup.simulator.comparison.intervals import Estimate, estimate
from recoup.simulator.comparison.measures import NUMBERS, Measures, measure, segments
from recoup.simulator.comparison.policies import Policy, decides
from recoup.simulator.world.log import Written
from recoup.simulator.world.opening import START_DATE
from recoup.simulator.world.population import FOLDER, TO_US_CENTS, Population
from recoup.simulator.world.run import World
from recoup.tenants import read_folder

Progress = Callable[[str, float, str], None]
"""Told (policy, share done, what is shown beside it)."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared on whom."""

    policies: tuple[Policy, ...]
    """The first is what the others are compared with."""
    accounts: int
    days: int
    seeds: tuple[int, ...]


class OneRun(msgspec.Struct, frozen=True, kw_only=True):
    """A policy on the customers of one seed."""

    policy: str
    seed: int
    measures: Measures
    segments: dict[str, Measures]
    received_by_day: list[float]
    """US cents."""
    contacts_by_day: list[float]
    overdue_by_day: list[float]
    actions: dict[str, int]
    denied: dict[str, int]
    decisions: int
    cpu_seconds: float


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """A policy against the first one on the same customers; shares: 0.08 = 8 % more."""

    policy: str
    recovered: Estimate
    contacts: Estimate | None
    """None = the first made no contact."""
    recovered_by_seed: dict[str, float]
    contacts_by_seed: dict[str, float]


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True):
    """A policy over all seeds."""

    policy: str
    measures: dict[str, Estimate]
    contacts_by_channel: dict[str, Estimate]
    segments: dict[str, dict[str, Estimate]]
    against: Against | None
    """None for the first policy."""
    recovered_by_day: list[float]
    """Of what came due, the share received by the end of each day, on average."""
    contacts_by_day: list[float]
    overdue_by_day: list[float]
    """US dollars, on average."""
    actions: dict[str, int]
    denied: dict[str, int]
    account_days_per_cpu_second: int
    by_seed: dict[str, Measures]
    decides_for: list[str]
    """Tenants; the others kept their own schedule, because the strategy has no prices in their currencies."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found."""

    accounts: int
    days: int
    seeds: tuple[int, ...]
    starts_on: str
    currency: str
    """Of all money that is told, in minor units."""
    rates: dict[str, float]
    """The fixed rates at which other currencies were counted."""
    policies: list[PolicyResult]


def compare(
    question: Question, *, jobs: int = 1, progress: Progress | None = None, log: IO[bytes] | None = None
) -> Comparison:
    """Every policy on every seed.

    Args:
        jobs: seeds that run side by side, each in a process of its own.
        log: is written one line for each thing that happened; then seeds run one after the other.
    """
    runs: list[OneRun] = []
    if jobs == 1 or log is not None or len(question.seeds) == 1:
        for seed in question.seeds:
            runs += of_seed(question, seed, progress, log)
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting = [pool.submit(of_seed, question, seed) for seed in question.seeds]
            for done, future in enumerate(as_completed(waiting), start=1):
                runs += future.result()
                if progress is not None:
                    progress("seeds", done / len(waiting), f"{done} of {len(waiting)} seeds")
    return _told(question, runs)


def of_seed(
    question: Question, seed: int, progress: Progress | None = None, log: IO[bytes] | None = None
) -> list[OneRun]:
    """Every policy on the customers of one seed."""
    population = Population(seed, question.accounts)
    world = World(population)
    members = dict(segments(population))
    everybody = np.ones(population.size, dtype=bool)
    runs = []
    for policy in question.policies:

        def show(day: int, name: str = policy.name) -> None:
            if progress is not None:
                number = question.seeds.index(seed)
                done = (number + day / question.days) / len(question.seeds)
                progress(name, done, f"seed {seed}, day {day} of {question.days}")

        began = time.process_time()
        told = None if log is None else Written(log, policy.name, seed)
        tally = world.run(decides(policy, population.tenants), question.days, progress=show, log=told)
        runs.append(
            OneRun(
                policy=policy.name,
                seed=seed,
                measures=measure(tally, everybody),
                segments={name: measure(tally, its) for name, its in members.items() if its.any()},
                received_by_day=tally.received_by_day.tolist(),
                contacts_by_day=tally.contacts_by_day.tolist(),
                overdue_by_day=tally.overdue_by_day.tolist(),
                actions=tally.actions,
                denied=tally.denied,
                decisions=tally.steps,
                cpu_seconds=time.process_time() - began,
            )
        )
    return runs


def _told(question: Question, runs: Sequence[OneRun]) -> Comparison:
    by_policy = {
        policy.name: sorted((run for run in runs if run.policy == policy.name), key=lambda run: run.seed)
        for policy in question.policies
    }
    first = by_policy[question.policies[0].name]
    return Comparison(
        accounts=question.accounts,
        days=question.days,
        seeds=question.seeds,
        starts_on=START_DATE.isoformat(),
        currency="USD",
        rates=dict(TO_US_CENTS),
        policies=[_result(question, policy, by_policy[policy.name], first) for policy in question.policies],
    )


def _result(question: Question, policy: Policy, runs: Sequence[OneRun], first: Sequence[OneRun]) -> PolicyResult:
    channels = runs[0].measures.contacts_by_channel
    due = np.array([run.measures.became_due_minor for run in runs])
    received = np.array([run.received_by_day for run in runs]).cumsum(axis=1) / due[:, None]
    names = sorted({name for run in runs for name in run.segments}, key=list(runs[0].segments).index)
    cpu = sum(run.cpu_seconds for run in runs)
    return PolicyResult(
        policy=runs[0].policy,
        measures=_estimates([run.measures for run in runs]),
        contacts_by_channel={
            name: estimate([run.measures.contacts_by_channel[name] for run in runs]) for name in channels
        },
        segments={name: _estimates([run.segments[name] for run in runs if name in run.segments]) for name in names},
        against=None if runs is first else _against(runs, first),
        recovered_by_day=np.round(received.mean(axis=0), 6).tolist(),
        contacts_by_day=np.round(np.array([run.contacts_by_day for run in runs]).mean(axis=0), 2).tolist(),
        overdue_by_day=np.round(np.array([run.overdue_by_day for run in runs]).mean(axis=0) / 100, 2).tolist(),
        actions=_summed([run.actions for run in runs]),
        denied=_summed([run.denied for run in runs]),
        account_days_per_cpu_second=round(question.accounts * question.days * len(runs) / cpu),
        by_seed={str(run.seed): run.measures for run in runs},
        decides_for=[name for name, tenant in read_folder(FOLDER).items() if policy.fits(tenant)],
    )


def _estimates(measures: Sequence[Measures]) -> dict[str, Estimate]:
    return {name: estimate([getattr(its, name) for its in measures]) for name in NUMBERS}


def _against(runs: Sequence[OneRun], first: Sequence[OneRun]) -> Against:
    recovered, contacts = {}, {}
    for run, other in zip(runs, first, strict=True):
        mine, its = run.measures, other.measures
        recovered[str(run.seed)] = round(mine.recovered_minor / its.recovered_minor - 1, 6)
        if its.contacts:
            contacts[str(run.seed)] = round(mine.contacts / its.contacts - 1, 6)
    return Against(
        policy=first[0].policy,
        recovered=estimate(list(recovered.values())),
        contacts=estimate(list(contacts.values())) if len(contacts) == len(recovered) else None,
        recovered_by_seed=recovered,
        contacts_by_seed=contacts,
    )


def _summed(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, times in count.items():
            total[name] = total.get(name, 0) + times
    return dict(sorted(total.items()))
