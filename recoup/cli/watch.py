"""`recoup models watch`: drift, calibration and fairness of the models in force."""

import re

import click

UNITS = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
MOST_DAYS = 3_650
TRAINING = 0
_SPAN = re.compile(r"^(?P<count>[1-9][0-9]{0,4})(?P<unit>[hdw])$")


class Span(click.ParamType):
    """A length of time such as 12h, 7d or 4w, in milliseconds."""

    name = "span"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The milliseconds."""
        if isinstance(value, int):
            return value
        found = _SPAN.match(value)
        span = int(found["count"]) * UNITS[found["unit"]] if found else 0
        if not 0 < span <= MOST_DAYS * UNITS["d"]:
            self.fail(
                f"{value!r} is not a span of time such as 12h, 7d or 4w, of {MOST_DAYS:,} days at most.", param, ctx
            )
        return span


class Reference(Span):
    """A span, or `training`, which is 0."""

    name = "span|training"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The milliseconds, or 0."""
        return TRAINING if value == "training" else super().convert(value, param, ctx)


@click.command(short_help="Watch the models in force: drift, calibration, fairness.")
@click.option("--tenant", default="", help="Only this tenant.")
@click.option("--model", default="", metavar="ID", help="Only this model.")
@click.option(
    "--since", default="7d", show_default=True, type=Span(), help="The window that is looked at: 12h, 7d, 4w."
)
@click.option(
    "--reference",
    default="30d",
    show_default=True,
    type=Reference(),
    help="What it is compared with: the time before it, so long, or `training` for what the model learned from.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
@click.option("--emit/--no-emit", default=True, show_default=True, help="Publish what drifted as model.drifted events.")
def watch(tenant: str, model: str, since: int, reference: int, as_json: bool, emit: bool) -> None:
    """Watch the models in force: drift of features and score, calibration on what came of the scores, fairness.

    The window is compared with the model's own scores before it. `--reference training` asks whether the model sees what
    it learned from; it learned from other moments than those at which accounts are scored, so some of that is no news.

    A feature has drifted when its PSI is above 0.2 and chance does not explain it; calibration, when scores and outcomes
    are more than 5 points apart and chance does not explain it. Days of the week and the month are not compared.

    Groups are compared by attributes that are no features; they change no exit code. What is told twice on one day (UTC)
    is the same event.

    \b
    Exit code:  0  nothing has drifted
                1  something has
                2  there are no scores to look at, or an option is wrong
    Example:    recoup models watch --tenant nordlicht --since 14d
                recoup models watch --no-emit --json | jq '.models[] | .says'
    """
    from datetime import datetime

    import msgspec

    from connectors.redis.mode import manifest
    from models.calendar import instant
    from models.clock import WallClock
    from recoup.addresses import require
    from recoup.settings import Settings
    from recoup.watch.training import manifests_of
    from recoup.watch.watch import Asked
    from recoup.watch.watch import watch as look

    settings = Settings()
    require(settings, "clickhouse", "redis", *(("kafka",) if emit else ()))
    pinned = manifest(settings.redis)
    # In a replay the present is where the ledger ended.
    now = instant(datetime.fromisoformat(pinned["until"])) if pinned else WallClock().now()
    asked = Asked(
        now, since, reference or 30 * UNITS["d"], tenant=tenant, model=model, against_training=reference == TRAINING
    )
    report = look(settings, asked, emit=emit, trained=manifests_of(settings))
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        from rich.console import Console

        from recoup.watch.view import render

        Console(highlight=False).print(render(report))
    if report.drifted:
        raise SystemExit(1)
