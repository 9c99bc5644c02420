"""`recoup topics`: the cluster's topics beside the registry's."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connectors.kafka.topics import Change


@click.group()
def topics() -> None:
    """Compare the topics with the registry, and apply it."""


@topics.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per topic.")
def list_topics(as_json: bool) -> None:
    """Show every topic of the registry and how it is in Kafka.

    \b
    Example:  recoup topics list
    """
    import json

    from connectors.kafka.topics import plan, wanted
    from recoup.settings import Settings

    changes = plan(Settings().kafka)
    for topic in wanted():
        differs = [change for change in changes if change.topic == topic.name]
        state = "ok" if not differs else "missing" if differs[0].kind == "create" else "differs"
        if as_json:
            row = {"topic": topic.name, "state": state, "partitions": topic.partitions, "config": topic.config}
            click.echo(json.dumps(row | {"changes": [change.says for change in differs]}))
        else:
            click.echo(f"{state:<8} {topic.name}")
            for change in differs:
                click.echo(f"           {change.says}")


@topics.command("apply")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="The changes as one JSON array.")
def apply_registry(dry_run: bool, as_json: bool) -> None:
    """Create what is missing and mend what differs. The partitions of an account topic are never changed.

    \b
    Example:  recoup topics apply --dry-run
    """
    from connectors.kafka.topics import apply, plan
    from recoup.settings import Settings

    kafka = Settings().kafka
    changes = plan(kafka) if dry_run else apply(kafka)
    _show(changes, as_json)
    if any(change.kind == "refuse" for change in changes):
        raise SystemExit(1)


def _show(changes: "list[Change]", as_json: bool) -> None:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(changes).decode())
    elif not changes:
        click.echo("Kafka is as the registry says.")
    else:
        for change in changes:
            click.echo(str(change))
