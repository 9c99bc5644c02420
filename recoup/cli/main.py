"""The command line. Commands are imported only when they are called, so that `recoup --help` answers at once."""

import importlib
import sys

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("recoup.cli.stack:up", "Start the local stack: Kafka, ClickHouse, Redis."),
    "down": ("recoup.cli.stack:down", "Stop the local stack."),
    "status": ("recoup.cli.stack:status", "Say what runs, where, and how it does."),
    "logs": ("recoup.cli.stack:logs", "Show the log of a part of the stack."),
    "doctor": ("recoup.cli.stack:doctor", "Say what is wrong and what to do."),
    "demo": ("recoup.cli.demo:demo", "Stream a simulated portfolio through everything, live."),
    "simulate": ("recoup.cli.simulate:simulate", "Send a simulated portfolio's events."),
    "replay": ("recoup.cli.replay:replay", "Run a real ledger through the pipeline on its own clock."),
    "load": ("recoup.cli.load:load", "Fold opening balances and open invoices without deciding."),
    "worker": ("recoup.cli.worker:worker", "Run one worker: decide, land or dispatch."),
    "migrate": ("recoup.cli.migrate:migrate", "Bring the ClickHouse tables up to date."),
    "query": ("recoup.cli.query:query", "Ask the warehouse in SQL, as a table, CSV or JSON."),
    "export": ("recoup.cli.export:export", "Write a table, a view or an answer to a Parquet or CSV file."),
    "access": ("recoup.cli.access:access", "Let a tenant's analysts read its rows in ClickHouse, and no others."),
    "dictionary": ("recoup.cli.dictionary:dictionary", "Write what every table, view and column means."),
    "aggregates": ("recoup.cli.aggregates:aggregates", "List, refill and refresh what analysts' views are read from."),
    "land": ("recoup.cli.land:land", "Land a table again from its topic."),
    "topics": ("recoup.cli.topics:topics", "Compare the topics with the registry, and apply it."),
    "schemas": ("recoup.cli.schemas:schemas", "Show, generate and check the message contracts."),
    "tenants": ("recoup.cli.tenants:tenants", "Check tenant files and publish them."),
    "templates": ("recoup.cli.templates:templates", "Check what contacts say, show it, and put it in force."),
    "features": ("recoup.cli.features:features", "Show what was known when, as a table to learn from."),
    "train": ("recoup.cli.train:train", "Train a model of who will pay, and judge it."),
    "models": ("recoup.cli.models:models", "Show the trained models, release one, watch it, and go back."),
    "policies": ("recoup.cli.policies:policies", "Check a strategy, let it decide, and go back."),
    "audit": ("recoup.cli.audit:audit", "Verify the audit log, and show what people did."),
    "compliance": ("recoup.cli.compliance:compliance", "Judge contacts by the rules, and show the rules."),
    "evaluate": ("recoup.cli.evaluate:evaluate", "Tell what another policy would have earned, from the log."),
    "console": ("recoup.cli.console:console", "Serve the live page: flow, money, decisions, accounts, dead letters."),
    "forecast": ("recoup.cli.forecast:forecast", "Say what cash to expect, and how far forecasts were off."),
    "explain": ("recoup.cli.explain:explain", "Tell an account's story: events, score, decision, why."),
    "dlq": ("recoup.cli.dlq:dlq", "List, show, fix and replay dead letters."),
    "contacts": ("recoup.cli.contacts:contacts", "Stop contacts and let them go; see what waits or is in doubt."),
    "rebuild": ("recoup.cli.rebuild:rebuild", "Rebuild the account states from the topics."),
}
"""Command name -> where it lives, and its line in the overview."""


class Overview(click.Group):
    """Lists every command from the table above and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@click.group(cls=Overview, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recoup")
def recoup() -> None:
    """Real-time payment collections: score, decide within the law, contact, and land everything exactly once.

    \b
    Start with:  recoup demo
    """


def main() -> None:
    """Run the command line; a known failure is one clear message and exit code 1, never a traceback."""
    from schemas.errors import RecoupError

    try:
        recoup()
    except RecoupError as error:
        click.echo(f"recoup: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
