"""`recoup simulate`: a simulated portfolio's events, sent to Kafka; or, with --policy, policies compared without it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recoup.cli.compare_policies import compare_policies, refuse_misfits, seeds_from
from schemas.errors import BadInput

if TYPE_CHECKING:
    from recoup.simulator.feed import Tally


@click.command()
@click.option("--accounts", default=1_000, show_default=True, type=click.IntRange(1, 10_000_000))
@click.option("--rate", default=200.0, show_default=True, type=click.FloatRange(min=0.1), help="Messages per second.")
@click.option("--max", "as_fast", is_flag=True, help="As fast as it goes, instead of --rate.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop after this long; without it, at Ctrl-C.")
@click.option("--events", type=click.IntRange(min=1), help="Stop after so many messages.")
@click.option("--seed", default=1, show_default=True, help="The same seed: the same customers and the same course.")
@click.option("--tenants", help="Comma-separated; by default all that are published.")
@click.option("--bad-share", default=0.005, show_default=True, type=click.FloatRange(0, 0.4), help="Must be refused.")
@click.option("--duplicate-share", default=0.01, show_default=True, type=click.FloatRange(0, 0.5))
@click.option("--late-share", default=0.01, show_default=True, type=click.FloatRange(0, 0.5), help="Out of order.")
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write each customer's habit and true probabilities to this file, as JSON lines.",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME|FILE",
    help="Compare policies on simulated customers instead, without a stack: schedule, none, random, nba, or a strategy's"
    " file. The others are compared with the first.",
)
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 730), help="With --policy: how long.")
@click.option("--seeds", help="With --policy: how many from --seed on, or a list such as 1,2,3.  [default: 5]")
@click.option(
    "--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="With --policy: seeds at a time."
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --policy: write a page with pictures to this file.",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --policy: write every event, contact and decision to this file, as JSON lines.",
)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON: what was sent, or found.")
def simulate(
    accounts: int,
    rate: float,
    as_fast: bool,
    seconds: float | None,
    events: int | None,
    seed: int,
    tenants: str | None,
    bad_share: float,
    duplicate_share: float,
    late_share: float,
    truth: Path | None,
    policies: tuple[str, ...],
    days: int,
    seeds: str | None,
    jobs: int,
    report: Path | None,
    log: Path | None,
    as_json: bool,
) -> None:
    """Send a simulated portfolio's events, and let its customers react to the contacts that Recoup makes.

    Customers pay promptly, late, when reminded, dispute or are insolvent. Duplicates, late and bad messages are among
    the events. A business day passes whenever every account has been visited once on average.

    With --policy nothing is sent: the same customers live under each policy, with the same luck, and what each policy
    recovers and costs is told.

    \b
    Example:  recoup simulate --accounts 2000 --rate 500 --seconds 60 --truth truth.jsonl
              recoup simulate --policy schedule --policy nba --accounts 2000 --days 90 --report policies.html
    """
    if policies:
        _compare(policies, accounts, days, seeds_from(seeds, seed), jobs, report, log, as_json=as_json)
        return
    import msgspec

    from models.clock import WallClock
    from recoup.addresses import require
    from recoup.settings import Settings
    from recoup.simulator import stream
    from recoup.simulator.feed import Feed
    from recoup.simulator.stack import businesses_of, require_live

    settings = Settings()
    require(settings, "kafka", "redis")
    require_live(settings)
    wanted = tuple(tenants.split(",")) if tenants else ()
    businesses = businesses_of(settings, wanted)
    if truth is not None:
        with truth.open("wb") as file:
            file.writelines(msgspec.json.encode(c) + b"\n" for c in stream.truth(seed, accounts, businesses))
    shares = stream.Shares(bad=bad_share, duplicate=duplicate_share, late=late_share)
    clock = WallClock()
    simulation = stream.Simulation(seed, accounts, businesses, start=clock.now(), shares=shares)
    feed = Feed(settings.kafka, simulation, rate=None if as_fast else rate, clock=clock, progress=Progress())
    with ending_cleanly(feed.stop):
        tally = feed.run(seconds=seconds, events=events)
    if as_json:
        click.echo(msgspec.json.encode({"produced": tally.total} | msgspec.to_builtins(tally)).decode())
    else:
        click.echo(summary(tally))


def _compare(
    policies: tuple[str, ...],
    accounts: int,
    days: int,
    seeds: tuple[int, ...],
    jobs: int,
    report: Path | None,
    log: Path | None,
    *,
    as_json: bool,
) -> None:
    from recoup.simulator.comparison.compare import Question
    from recoup.simulator.comparison.policies import policy_named

    if len(set(policies)) != len(policies):
        raise BadInput("--policy: names a policy twice; the same customers under it would do the same.")
    question = Question(
        policies=tuple(policy_named(text) for text in policies), accounts=accounts, days=days, seeds=seeds
    )
    refuse_misfits(question)
    compare_policies(question, jobs=jobs, as_json=as_json, report=report, log=log)


@contextmanager
def ending_cleanly(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM call `stop` instead of tearing down what is in flight."""
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Progress:
    """A line on the terminal's error stream every two seconds."""

    EVERY_SECONDS = 2.0

    def __init__(self) -> None:
        self.said = 0.0

    def __call__(self, tally: "Tally") -> None:
        """Say how far it is, if it is time."""
        if tally.seconds - self.said < self.EVERY_SECONDS:
            return
        self.said = tally.seconds
        click.echo(
            f"{tally.seconds:6.0f} s  {tally.total:>10,} messages  {tally.total / tally.seconds:>8,.0f}/s"
            f"  {tally.accounts:,} accounts  day {tally.business_days:.1f}  {tally.contacts_heard:,} contacts heard",
            err=True,
        )


def summary(tally: "Tally") -> str:
    """What was sent, in words."""
    head = f"Sent {tally.total:,} messages of {tally.accounts:,} accounts in {tally.seconds:.1f} s"
    lines = [f"{head} ({tally.business_days:.1f} business days):"]
    lines += [f"  {count:>10,}  {topic}" for topic, count in sorted(tally.delivered.items())]
    lines.append(
        f"Among them {tally.duplicates:,} duplicates, {tally.late:,} out of order,"
        f" {sum(tally.bad.values()):,} that must be refused."
    )
    answers = ", ".join(f"{times:,} {answer}" for answer, times in tally.answers.items() if times)
    lines.append(f"Customers heard {tally.contacts_heard:,} contacts{f'; they answer: {answers}' if answers else ''}.")
    return "\n".join(lines)
