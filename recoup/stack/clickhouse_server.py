"""Serves the embedded ClickHouse over its HTTP protocol: `python -m recoup.stack.clickhouse_server --path DIR --port N`.

What clickhouse-connect, notebooks and Grafana ask of a server over HTTP, they can ask here.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import click

from recoup.stack.clickhouse_access import Access, check_address
from recoup.stack.clickhouse_engine import Engine
from recoup.stack.clickhouse_http import Server
from schemas.errors import BadInput

DRAIN_SECONDS = 10.0
SWEEP_SECONDS = 5.0
YIELDING = 10
"""The niceness of a server that merges and answers queries beside servers that somebody waits for."""
ATTEMPTS = 10


@click.command()
@click.option("--path", type=click.Path(path_type=Path), required=True, help="Where the data are kept.")
@click.option("--port", type=int, required=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--user", default="default", show_default=True)
@click.option("--requests", default=16, show_default=True, help="Statements that run at once.")
@click.option("--memory-mb", default=0, help="The most that one statement may use; 0 = no limit.")
@click.option("--allow-remote", is_flag=True, help="Answer other machines too; needs a password.")
def main(
    path: Path,
    port: int,
    host: str,
    user: str,
    requests: int,
    memory_mb: int,
    allow_remote: bool,  # noqa: FBT001
) -> None:
    """Serve the embedded ClickHouse until SIGTERM. The password is taken from RECOUP_CLICKHOUSE_PASSWORD."""
    password = os.environ.get("RECOUP_CLICKHOUSE_PASSWORD", "")
    try:
        check_address(host, allow_remote=allow_remote, password=password)
    except BadInput as error:
        raise click.ClickException(str(error)) from error
    path.mkdir(parents=True, exist_ok=True)
    _yield_to_others()  # before the engine: its threads inherit what the first one has
    engine = Engine(path, requests, memory_mb << 20)
    server = Server((host, port), engine, Access(user, password, remote=allow_remote))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    click.echo(f"ClickHouse {engine.version} (chDB) listens on {host}:{port}")
    while not stop.wait(SWEEP_SECONDS):
        engine.end_sessions(time.monotonic())
    click.echo("stopping")
    server.shutdown()
    server.server_close()
    server.drain(DRAIN_SECONDS)
    engine.close()
    click.echo("stopped")
    sys.stdout.flush()
    os._exit(0)  # The engine's threads may still wait for clients that stopped reading.


def _yield_to_others() -> None:
    """Let the broker, Redis and the workers of this machine go first: decisions would wait for its merges."""
    os.nice(YIELDING)
    group = Path("/proc/self/autogroup")
    if os.getsid(0) != os.getpid() or not group.exists():
        return
    # Linux shares the processors between sessions first, and reads a process's own niceness only within one.
    for _ in range(ATTEMPTS):
        try:
            group.write_text(str(YIELDING))
        except BlockingIOError:  # one process of the machine may do so in a tenth of a second
            time.sleep(0.2)
        except OSError as error:
            click.echo(f"It keeps its share of the processors: {error}")
            return
        else:
            return
    click.echo("It keeps its share of the processors: others were writing theirs.")


if __name__ == "__main__":
    main()
