"""`recoup demo`: the whole pipeline at work on a simulated portfolio."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from recoup.demo.show import Demo, Show
    from recoup.demo.view import View

LINE_EVERY_SECONDS = 2.0


@click.command()
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(min=1), help="How long events stream."
)
@click.option("--accounts", default=5_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--rate", default=2_000.0, show_default=True, type=click.FloatRange(min=1), help="Events per second.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 8), help="Decide workers.")
@click.option("--seed", default=1, show_default=True, help="The same seed: the same customers.")
@click.option(
    "--past-days",
    default=150,
    show_default=True,
    type=click.IntRange(0, 400),
    help="Days of business that are made before anything streams, so that there is something to look at.",
)
@click.option("--keep", is_flag=True, help="Leave the servers and workers running, with the console.")
@click.option("--json", "as_json", is_flag=True, help="The summary as the last line; progress goes to stderr.")
def demo(
    seconds: float, accounts: int, rate: float, workers: int, seed: int, past_days: int, keep: bool, as_json: bool
) -> None:
    """Stream a simulated portfolio through everything, live, and add up what became of each message.

    Starts a local stack of its own under .recoup/demo (emptied first; your own data stay untouched), the workers, and
    a portfolio of two tenants: first its past, made with the same core and told to the same topics, then its present.
    Models are those under .recoup/models. Ctrl-C ends the stream early and cleanly; a second one at once. The exit code
    is 1 when the sums do not add up.

    \b
    Example:  recoup demo --seconds 20 --keep
    """
    import msgspec

    from recoup.demo import summary
    from recoup.demo.books import differences
    from recoup.demo.show import Demo, Plan
    from recoup.settings import Settings
    from recoup.stack.kept import keep_workers, stop_kept_workers
    from recoup.stack.layout import read_endpoints
    from recoup.stack.workers import running_workers
    from schemas.errors import NotReady

    home = Settings().home / "demo"
    plan = Plan(
        home=home.absolute(),
        seconds=seconds,
        accounts=accounts,
        rate=rate,
        workers=workers,
        seed=seed,
        past_days=past_days,
    )
    stop_kept_workers(plan.home)
    if running_workers(plan.home):
        raise NotReady(f"Another demo runs under {home}: end it first (Ctrl-C), or set RECOUP_HOME for this one.")
    with screen(to_stderr=as_json) as (console, show):
        run = Demo(plan, lambda what: console.print(what, style="dim", highlight=False), show)
        with ending_cleanly(run):
            result = run.run(keep=keep)
    addresses: dict[str, str] = {}
    if keep:
        keep_workers(plan.home, run.jobs)
        addresses = read_endpoints(run.stack.endpoints_file)
    click.echo(summary.as_text(result), err=as_json)
    click.echo(summary.where_next(result, home, addresses, kept=keep, console=run.console), err=as_json)
    if as_json:
        click.echo(msgspec.json.encode(summary.as_json(result)))
    if differences(result.books):
        raise SystemExit(1)


@contextmanager
def screen(*, to_stderr: bool) -> "Iterator[tuple[Console, Show]]":
    """A live table on a terminal; elsewhere a line every two seconds."""
    from rich.console import Console
    from rich.live import Live

    from recoup.demo.view import line, table

    console = Console(stderr=to_stderr)
    if not console.is_terminal:
        console = Console(stderr=to_stderr, soft_wrap=True)
        last: list[tuple[str, float]] = [("", 0.0)]

        def show_line(view: "View") -> None:
            phase, at = last[0]
            if view.phase != phase or view.elapsed - at >= LINE_EVERY_SECONDS:
                last[0] = view.phase, view.elapsed
                console.print(line(view), highlight=False)

        yield console, show_line
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        yield console, lambda view: live.update(table(view), refresh=True)


@contextmanager
def ending_cleanly(run: "Demo") -> Iterator[None]:
    """The first Ctrl-C or SIGTERM ends the stream; the next one everything, at once."""
    asked: list[bool] = []

    def end(*_: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        run.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
