"""`recoup console`: the live page."""

import os
import sys

import click


@click.command()
@click.option("--host", help="Where to listen  [default: 127.0.0.1]; any other address needs a token.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port  [default: 8642]; 0 = any free one, which is told."
)
@click.option("--token", help="What visitors must know; better set as RECOUP_CONSOLE__TOKEN, which `ps` does not show.")
@click.option("--json", "as_json", is_flag=True, help="The address as one JSON object.")
def console(host: str | None, port: int | None, token: str | None, as_json: bool) -> None:
    """Serve one page that shows what flows, what is owed, what is decided and why, what was denied and by which rule.

    An account's page tells its story with the whole set of actions of its last decision; dead letters can be mended,
    proved and sent again. Runs until Ctrl-C. With a token, open it once with ?token=... at the end of the address.

    \b
    Example:  recoup console
              RECOUP_CONSOLE__TOKEN=... recoup console --host 0.0.0.0 --json
    """
    import json

    from pydantic import SecretStr

    from recoup.addresses import require
    from recoup.console.serve import serve
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "kafka", "clickhouse", "redis")
    given = {"host": host, "port": port, "token": SecretStr(token) if token else None}
    wanted = settings.console.model_copy(update={name: value for name, value in given.items() if value is not None})

    def say(url: str) -> None:
        click.echo(json.dumps({"url": url}) if as_json else f"{url}   (Ctrl-C stops it)")

    serve(settings.model_copy(update={"console": wanted}), say)
    # A thread may still be waiting for a server that is away; nothing is left to be saved.
    sys.stdout.flush()
    os._exit(0)
