"""What next best actions bring against a schedule on simulated customers, and how fast the comparison runs.

The seeds are 1 to 10; whatever was compared or learned while the strategy was made used seeds above 100.
"""

import json
import os
from typing import Any

import click

from benchmarks.ground import keep
from recoup.simulator.comparison.compare import Comparison, PolicyResult, Question, compare
from recoup.simulator.comparison.policies import policy_named

POLICIES = ("schedule", "nba", "random", "none")
MORE = 0.08
"""More recovered at no more contacts ..."""
FEWER = 0.25
"""... or as much recovered with so many fewer contacts."""
PER_SECOND = 50_000
"""Account-days on one core."""


def holds(result: PolicyResult) -> dict[str, str]:
    """By seed, how the policy is better than the first one: `more`, `fewer`, `both`, or `no`."""
    against = result.against
    assert against is not None
    found: dict[str, str] = {}
    for seed, recovered in against.recovered_by_seed.items():
        contacts = against.contacts_by_seed[seed]
        more, fewer = recovered >= MORE and contacts <= 0, recovered >= 0 and contacts <= -FEWER
        found[seed] = "both" if more and fewer else "more" if more else "fewer" if fewer else "no"
    return found


def report(found: Comparison) -> dict[str, Any]:
    """What is kept."""
    policies: dict[str, Any] = {}
    for result in found.policies:
        names = ("recovered_share", "days_to_cash", "days_overdue", "contacts", "complaints", "opt_outs", "disputes",
                 "to_person", "cost_minor", "net_minor")  # fmt: skip
        told: dict[str, Any] = {
            name: {"mean": its.mean, "low": its.low, "high": its.high}
            for name in names
            for its in (result.measures[name],)
        }
        told["account_days_per_cpu_second"] = result.account_days_per_cpu_second
        if result.against is not None:
            told["recovered_against_schedule_by_seed"] = result.against.recovered_by_seed
            told["contacts_against_schedule_by_seed"] = result.against.contacts_by_seed
        policies[result.policy] = told
    better = holds(next(result for result in found.policies if result.policy == "nba"))
    return {
        "accounts": found.accounts,
        "days": found.days,
        "seeds": list(found.seeds),
        "nba_is_better_by_seed": better,
        "nba_is_better_on_every_seed": all(how != "no" for how in better.values()),
        "policies": policies,
    }


@click.command(epilog="Example: python -m benchmarks.policies --accounts 2000 --seeds 3")
@click.option("--accounts", default=20_000, show_default=True)
@click.option("--days", default=90, show_default=True)
@click.option("--seeds", default=10, show_default=True, help="From 1 on.")
@click.option("--jobs", default=min(2, os.cpu_count() or 1), show_default=True, help="Seeds at a time.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON; nothing is kept.")
def main(accounts: int, days: int, seeds: int, jobs: int, *, as_json: bool) -> None:
    """Compare schedule, nba, random and none."""
    question = Question(
        policies=tuple(map(policy_named, POLICIES)), accounts=accounts, days=days, seeds=tuple(range(1, seeds + 1))
    )

    def show(_: str, share: float, beside: str) -> None:
        click.echo(f"{share:4.0%}  {beside}", err=True)

    result = report(compare(question, jobs=jobs, progress=show if jobs > 1 else None))
    if as_json:
        click.echo(json.dumps(result))
        return
    keep("policies", result)
    for name, its in result["policies"].items():
        click.echo(
            f"{name:9} recovered {its['recovered_share']['mean']:.1%}  contacts {its['contacts']['mean']:,.0f}"
            f"  cost ${its['cost_minor']['mean'] / 100:,.0f}  {its['account_days_per_cpu_second']:,} account-days/s"
        )
    click.echo(f"nba against schedule by seed: {result['nba_is_better_by_seed']}")
    slow = [name for name, its in result["policies"].items() if its["account_days_per_cpu_second"] < PER_SECOND]
    click.echo(f"{PER_SECOND:,} account-days a second: {'not by ' + ', '.join(slow) if slow else 'by all'}")


if __name__ == "__main__":
    main()
