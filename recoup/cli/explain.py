"""`recoup explain`: an account's story."""

import click


@click.command()
@click.argument("tenant")
@click.argument("account")
@click.option(
    "--limit", default=200, show_default=True, type=click.IntRange(1, 100_000), help="The newest so many lines."
)
@click.option(
    "--brief", is_flag=True, help="Leave out scores, bookings, and decisions to wait that no rule had a part in."
)
@click.option("--personal", is_flag=True, help="Show addresses, names and what the customer said.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def explain(tenant: str, account: str, limit: int, brief: bool, personal: bool, as_json: bool) -> None:
    """Tell an account's story: events, scores, decisions with why, what was denied by which rule and until when.

    The timeline comes from ClickHouse, the present standing from the state in Redis.

    \b
    Example:  recoup explain ibm 0379-NEVHP --brief
    """
    from datetime import datetime

    import msgspec

    from connectors.redis.mode import manifest
    from models.calendar import instant
    from models.clock import WallClock
    from recoup.addresses import require
    from recoup.explain.story import story_of
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "clickhouse", "redis")
    pinned = manifest(settings.redis)
    # In a replay the present is where the ledger ended.
    now = instant(datetime.fromisoformat(pinned["until"])) if pinned else WallClock().now()
    story = story_of(settings, tenant, account, now=now, most=limit, brief=brief, personal=personal)
    if as_json:
        click.echo(msgspec.json.encode(story))
        return
    from rich.console import Console

    from recoup.explain.view import render

    Console(highlight=False).print(render(story))
