"""`recoup simulate --policy ...`: policies compared on simulated customers, without a stack."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.errors import BadInput

if TYPE_CHECKING:
    from recoup.simulator.comparison.compare import Question

DEFAULT_SEEDS = 5


def seeds_from(text: str | None, first: int) -> tuple[int, ...]:
    """The seeds of `--seeds`: so many from `first` on, or a list of them.

    Raises:
        BadInput: it is neither, or names one twice.
    """
    if text is None:
        return tuple(range(first, first + DEFAULT_SEEDS))
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"--seeds {text}: expected how many, such as 5, or a list, such as 1,2,3.") from None
    if len(numbers) == 1 and "," not in text:
        if not 1 <= numbers[0] <= 1_000:
            raise BadInput(f"--seeds {text}: expected 1 to 1000 seeds.")
        return tuple(range(first, first + numbers[0]))
    if len(set(numbers)) != len(numbers):
        raise BadInput(f"--seeds {text}: names a seed twice.")
    return numbers


def refuse_misfits(question: "Question") -> None:
    """Raise BadInput when two policies have one name, or one decides for no tenant of the simulated world."""
    from recoup.simulator.world.population import FOLDER
    from recoup.tenants import read_folder

    names = [policy.name for policy in question.policies]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"--policy: two of them are called `{name}`; give one of the files another name.")
    tenants = read_folder(FOLDER).values()
    for policy in question.policies:
        if not any(policy.fits(tenant) for tenant in tenants):
            currencies = ", ".join(sorted({currency for tenant in tenants for currency in tenant.currencies}))
            raise BadInput(
                f"--policy {policy.name}: it has no prices for any tenant of the simulated world; they are in {currencies}."
            )


def compare_policies(question: "Question", *, jobs: int, as_json: bool, report: Path | None, log: Path | None) -> None:
    """Run the comparison, show it, and write what was asked for."""
    import contextlib

    import msgspec
    from rich.console import Console

    from recoup.cli.progress import phases
    from recoup.simulator.comparison.compare import compare
    from recoup.simulator.comparison.report import page
    from recoup.simulator.comparison.view import view

    with contextlib.ExitStack() as stack:
        _, show = stack.enter_context(phases())
        file = None if log is None else stack.enter_context(log.open("wb"))
        found = compare(question, jobs=jobs, progress=show, log=file)
    if report is not None:
        report.write_text(page(found), encoding="utf-8")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    console = Console(highlight=False)
    for part in view(found):
        console.print(part)
        console.print()
    if report is not None:
        console.print(f"The pictures are in {report}.")
