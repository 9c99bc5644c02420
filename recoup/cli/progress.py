"""Progress on the error stream: a bar on a terminal, elsewhere a line for each tenth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Say = Callable[[str], None]
Show = Callable[[str, float, str], None]
"""Told (phase, share done, what is shown beside it)."""


@contextmanager
def phases() -> Iterator[tuple[Say, Show]]:
    """Something to say lines to, and something to show phases with."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines(Console(stderr=True, highlight=False, soft_wrap=True))
        return
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        TextColumn("{task.fields[beside]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def show(phase: str, share: float, beside: str) -> None:
            if phase not in tasks:
                for task in tasks.values():
                    progress.update(task, completed=1.0)
                tasks[phase] = progress.add_task(phase, total=1.0, beside=beside)
            progress.update(tasks[phase], completed=share, beside=beside)

        yield lambda what: progress.console.print(what, style="dim"), show


def _lines(console: "Console") -> tuple[Say, Show]:
    said: dict[str, int] = {}

    def show(phase: str, share: float, beside: str) -> None:
        tenth = int(share * 10)
        if said.get(phase) != tenth:
            said[phase] = tenth
            console.print(f"{phase} {share:>4.0%}  {beside}")

    return console.print, show
