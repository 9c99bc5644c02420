"""`recoup schemas`: the message contracts shown, generated and guarded."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from schemas.compatibility import Breach


@click.group()
def schemas() -> None:
    """Show, generate and check the message contracts."""


@schemas.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per topic.")
def list_schemas(as_json: bool) -> None:
    """Show every topic and its types.

    \b
    Example:  recoup schemas list
    """
    import json

    import msgspec

    from schemas.registry import topics

    for topic in topics().values():
        if as_json:
            row = msgspec.to_builtins(topic, enc_hook=lambda kind: kind.__name__)
            click.echo(json.dumps(row))
        else:
            click.secho(topic.name, bold=True)
            click.echo(click.wrap_text(topic.what, 100, "  ", "  "))
            click.echo(click.wrap_text(", ".join(topic.types), 100, "    ", "    "))


@schemas.command()
@click.argument("topic")
@click.option("--json", "as_json", is_flag=True, help="The topic's JSON Schema.")
def show(topic: str, as_json: bool) -> None:
    """Show a topic: its types, and the fields of each.

    \b
    Example:  recoup schemas show payment-events
    """
    from schemas.json_schema import as_text, json_schema
    from schemas.registry import topic_named

    found = topic_named(topic)
    schema = json_schema(found)
    if as_json:
        click.echo(as_text(schema), nl=False)
        return
    click.secho(found.name, bold=True)
    click.echo(f"{found.what}\nkey {found.key}, {found.partitions} partitions, owner {found.owner}")
    click.echo(f"from {', '.join(found.producers)}; to {', '.join(found.consumers)}")
    for name, spec in found.types.items():
        click.secho(f"\n{name} v{spec.version}", bold=True)
        definition = schema["$defs"][spec.struct.__name__]
        click.echo(click.wrap_text(definition["description"], 100, "  ", "  "))
        for field, kind in definition["properties"].items():
            needed = "" if field in definition["required"] else " (optional)"
            note = f"  {kind['description']}" if "description" in kind else ""
            click.echo(f"    {field}{needed}: {_said(kind)}{note}")


@schemas.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not up to date.")
def generate(check: bool) -> None:
    """Write the JSON Schemas and the AsyncAPI document from the registry and the Structs.

    \b
    Example:  recoup schemas generate --check
    """
    from schemas.generated import generated, stale

    differing = stale()
    for path in differing:
        if check:
            click.echo(f"not up to date: {_shown(path)}")
        elif path in generated():
            path.parent.mkdir(exist_ok=True)
            path.write_text(generated()[path], "utf-8")
            click.echo(f"written: {_shown(path)}")
        else:
            path.unlink()
            click.echo(f"removed: {_shown(path)}")
    if not differing:
        click.echo("Everything is up to date.")
    if check and differing:
        click.echo("Run `recoup schemas generate`.", err=True)
        raise SystemExit(1)


@schemas.command()
@click.option("--against", "revision", required=True, metavar="REV", help="A git revision, such as a released tag.")
@click.option("--json", "as_json", is_flag=True, help="The breaking changes as one JSON array.")
def check(revision: str, as_json: bool) -> None:
    """Compare the contracts with those of a git revision. Exit 1 when a change breaks a producer or a consumer.

    \b
    Example:  recoup schemas check --against v1.4.0
    """
    import msgspec

    from recoup.released import released_schemas
    from schemas.compatibility import all_breaches
    from schemas.json_schema import json_schema
    from schemas.registry import topics

    released = released_schemas(revision)
    found: list[Breach] = all_breaches(released, {topic.name: json_schema(topic) for topic in topics().values()})
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for breach in found:
            click.echo(str(breach))
        verdict = f"{len(found)} breaking changes" if found else "Nothing breaks"
        click.echo(f"{verdict}: {len(released)} topics of {revision} compared.")
    if found:
        raise SystemExit(1)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path(__file__).parents[2]))


def _said(schema: dict[str, object]) -> str:
    """A field's type in one word or a few."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema and isinstance(schema["anyOf"], list):
        return " or ".join(_said(one) for one in schema["anyOf"])
    if "enum" in schema and isinstance(schema["enum"], list):
        return " | ".join(str(value) or '""' for value in schema["enum"])
    if "items" in schema and isinstance(schema["items"], dict):
        return f"list of {_said(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "anything")
