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
