"""`python -m dashboards`: make the files that Grafana reads, compare them, and look at a dashboard without a Grafana."""

import json
import sys
from pathlib import Path

import click
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.client import connect, explain
from models.calendar import utc
from models.clock import WallClock
from recoup.addresses import require
from recoup.settings import Settings
from schemas.errors import BadInput, RecoupError

try:
    from dashboards import answers
    from dashboards.boards import BOARDS
    from dashboards.files import as_json, differing, write
    from dashboards.preview.page import Answers, page
except ModuleNotFoundError as missing:
    if not str(missing.name).startswith("grafana_foundation_sdk"):
        raise
    sys.exit("dashboards: the library that they are written with is a tool of development: run `make setup` first.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Grafana's dashboards and alert rules, made from the code in this folder."""


@main.command()
def build() -> None:
    r"""Write the files under dashboards/json and dashboards/provisioning.

    \b
    Example:  python -m dashboards build
    """
    changed = write()
    for path in changed:
        click.echo(f"{path.name}")
    click.echo(
        f"{len(changed)} files were not as the code says; now they are."
        if changed
        else "All files are as the code says."
    )


@main.command()
def check() -> None:
    r"""Compare the files with the code; exit code 1 when they differ.

    \b
    Example:  python -m dashboards check
    """
    found = differing()
    for path in found:
        click.echo(f"{path} is not as the code says.")
    if found:
        click.echo("`python -m dashboards build` writes them again.")
        sys.exit(1)
    click.echo("All files are as the code says.")


@main.command()
@click.argument("name")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The HTML file to write.")
@click.option("--tenant", multiple=True, help="Only this tenant; may be given several times. Without: all.")
@click.option("--currency", help="Without: the one with the most payments.")
@click.option("--since", default="", help="Such as now-30d; without: what the dashboard shows at first.")
@click.option("--until", default="", help="Such as now-1d; without: now.")
@click.option("--prometheus", default="", help="URL of a Prometheus that scrapes the workers, for their panels.")
def preview(
    name: str, to: Path, tenant: tuple[str, ...], currency: str | None, since: str, until: str, prometheus: str
) -> None:
    r"""Draw the dashboard NAME with what the warehouse answers now, as one HTML page without anything from elsewhere.

    \b
    Example:  python -m dashboards preview collections --to collections.html
    """
    board = next((board for board in BOARDS if board.uid == name), None)
    if board is None:
        raise BadInput(f"There is no dashboard {name}. There are: {', '.join(board.uid for board in BOARDS)}.")
    settings = Settings()
    require(settings, "clickhouse")
    client = connect(settings.clickhouse)
    dashboard = json.loads(as_json(board))
    shown = answers.window(dashboard, utc(WallClock().now()), since, until)
    wishes = {"tenant": tenant, "currency": (currency,) if currency else ()}
    chosen = answers.chosen(client, dashboard, shown, wishes)
    to.write_text(page(dashboard, Answers(client, prometheus, shown, chosen)), encoding="utf-8")
    click.echo(f"{to}: {board.title}")


if __name__ == "__main__":
    try:
        main()
    except RecoupError as error:
        click.echo(f"dashboards: {error}", err=True)
        sys.exit(error.exit_code)
    except ClickHouseError as error:
        click.echo(f"dashboards: ClickHouse: {explain(error)}. `recoup migrate` brings its views up to date.", err=True)
        sys.exit(1)
