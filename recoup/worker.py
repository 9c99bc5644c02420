"""Runs a job's Faust app as a process that ends with a non-zero code when the job fails."""

import gc
import os
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

# scikit-learn's and numpy's threads fight the other workers': one thread each (48 us an event without this, 12 with).
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import faust
import structlog

from recoup.settings import Settings
from schemas.errors import NotReady, RecoupError
from streams.app import record_running

log = structlog.get_logger()

SEARCH_AFTER_OBJECTS = 300_000
"""So many objects more than were given back since the last search for cycles: a batch of decide holds up to a third."""


class Worker(faust.Worker):
    """Ends when its services have ended. Faust's own sleeps a second before it closes a loop with nothing left in it."""

    async def _sentinel_task(self) -> None:
        """The last that the loop runs."""


def run(
    build: Callable[..., faust.App], *, job: str, slot: int, web_port: int, log_level: str, settings: Settings
) -> NoReturn:
    """Build the app, run it until it is stopped or fails, and exit.

    Raises:
        NotReady: a server's address is not known.
    """
    for part in ("kafka.bootstrap_servers", "redis.url", "clickhouse.url"):
        section, _, field = part.partition(".")
        if not getattr(getattr(settings, section), field):
            raise NotReady(
                f"The address of {section} is not known. Start the local stack with `recoup up`, or set"
                f" RECOUP_{section.upper()}__{field.upper()}."
            )
    port = web_port or _free_port()
    _look_for_garbage_seldom()
    app = build(settings, slot=slot, web_port=port)
    running = record_running(settings.home, job, slot, os.getpid(), port)
    worker = Worker(app, loglevel=log_level, redirect_stdouts=False, quiet=True)
    code = 0
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        code = int(end.code or 0)
    except RecoupError as error:
        sys.stderr.write(f"recoup worker {job}: {error}\n")
        code = error.exit_code
    finally:
        running.unlink(missing_ok=True)
    # Threads inside librdkafka may still be waiting for a broker that is gone; nothing is left to be saved.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _look_for_garbage_seldom() -> None:
    """Leave what the imports made out of every search for cycles, and search only when a batch cannot explain the count.

    A batch holds some ten thousand objects that refer to no cycle and go with it. Searching among them over and over
    cost a sixth of the processor's time (benchmarks/decide); cycles, which a few libraries leave, still end in time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(SEARCH_AFTER_OBJECTS, 10, 10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
