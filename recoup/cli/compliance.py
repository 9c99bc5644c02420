"""`recoup compliance`: cases judged by the contact rules, and the rules themselves."""

import sys
from typing import BinaryIO

import click


@click.group()
def compliance() -> None:
    """Judge contacts by the rules, and show the rules."""


@compliance.command()
@click.argument("file", type=click.File("rb"))
def check(file: BinaryIO) -> None:
    """Judge every case of FILE (JSON lines; - = standard input) and write one JSON line for each.

    A line that cannot be judged gives {"case", "error"}; the others are answered, and the exit code is 2 at the end.

    \b
    Example:  recoup compliance check cases.jsonl
    """
    from recoup.compliance.check import answers

    bad, out = 0, sys.stdout.buffer
    for answer in answers(file):
        bad += answer.is_bad
        out.write(answer.text + b"\n")
        out.flush()
    if bad:
        click.echo(f"{bad} lines could not be judged; their answers say why.", err=True)
        sys.exit(2)


@compliance.command()
@click.option("--pack", help="Only this pack, such as us-federal.")
@click.option("--json", "as_json", is_flag=True, help="The rules as one JSON array.")
def rules(pack: str | None, as_json: bool) -> None:
    """Show every rule: what it says, where it holds, when it is evaluated, and where it is written.

    `not reviewed` = nobody has confirmed it in a published source. None of this is legal advice.

    \b
    Example:  recoup compliance rules --pack us-ma
    """
    import msgspec

    from models.compliance.packs import PACKS
    from recoup.compliance.show import shown
    from schemas.errors import BadInput

    only = next((name for name in PACKS if name == pack), None)
    if pack is not None and only is None:
        raise BadInput(f"There is no rule pack `{pack}`. There are: {', '.join(PACKS)}.")
    found = shown(only)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for rule in found:
        click.echo(f"{rule.id:<6} {rule.says}")
        click.echo(f"       {rule.pack}: {rule.where}; {rule.binds}; {rule.evaluated}; in force {rule.in_force}")
        click.echo(f"       {rule.source} ({'reviewed' if rule.reviewed else 'not reviewed'})")
