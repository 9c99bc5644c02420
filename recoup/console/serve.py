"""Puts the console together and serves it until it is stopped."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from models.clock import WallClock
from recoup.console.app import Console
from recoup.console.decisions import Decisions
from recoup.console.desk import Questions
from recoup.console.flow import Crew, Stream
from recoup.console.guard import Guard
from recoup.console.hub import Hub
from recoup.console.in_force import in_force, stopped
from recoup.console.sources import Source, Sources
from recoup.console.tail import Tail
from recoup.console.warehouse import Warehouse
from recoup.settings import Settings
from schemas.errors import NotReady

GOODBYE_SECONDS = 1.0
"""Streams do not end by themselves; whoever reads is cut off after so long."""

Say = Callable[[str], None]


def where(home: Path) -> Path:
    """The file that tells other commands where the console of a home is."""
    return home / "run" / "console.json"


def serve(settings: Settings, say: Say) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        say: told the address once it answers.

    Raises:
        BadInput: it may not listen there without a token.
        NotReady: it cannot listen there.
    """
    asyncio.run(_serve(settings, say))


async def _serve(settings: Settings, say: Say) -> None:
    wanted, clock = settings.console, WallClock()
    guard, decisions = Guard(wanted, clock), Decisions()
    hub = Hub(decisions, clock)
    tail = Tail(settings.kafka, decisions)
    sources = Sources(hub, sources_of(settings, tail))
    console = Console(hub, guard, Questions(settings, clock), {"home": str(settings.home)})
    runner = web.AppRunner(console.app(), access_log=None, shutdown_timeout=GOODBYE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, wanted.host, wanted.port)
        try:
            await site.start()
        except OSError as error:
            raise NotReady(
                f"The console cannot listen at {wanted.host}:{wanted.port} ({error.strerror}). Give another --port; 0 is"
                " any free one."
            ) from error
        tail.start()
        sources.start()
        port = runner.addresses[0][1]
        url = f"http://{f'[{wanted.host}]' if ':' in wanted.host else wanted.host}:{port}"
        with _recorded(where(settings.home), url):
            say(url)
            await _asked_to_stop()
    finally:
        sources.stop()
        tail.stop()
        await runner.cleanup()


def sources_of(settings: Settings, tail: Tail) -> list[Source]:
    """Everything that the page shows, and how often it is looked at."""
    stream, crew = Stream(settings, tail), Crew(settings.home)

    def asks(question: Callable[[Warehouse], Any]) -> Callable[[], Any]:
        warehouse = Warehouse(settings, WallClock())
        return lambda: question(warehouse)

    return [
        Source("stream", "Kafka", 1.0, stream.read, always=True),
        Source("working", "Workers", 2.0, crew.read, always=True),
        Source("landed", "ClickHouse", 10.0, asks(Warehouse.landed)),
        Source("money", "ClickHouse", 5.0, asks(Warehouse.money)),
        Source("forecast", "ClickHouse", 600.0, asks(Warehouse.forecast)),
        Source("denied", "ClickHouse", 5.0, asks(Warehouse.denied)),
        Source("heaps", "ClickHouse", 5.0, asks(Warehouse.letter_heaps)),
        Source("in_force", "Kafka", 15.0, lambda: in_force(settings)),
        Source("stopped", "Redis", 2.0, lambda: stopped(settings)),
    ]


@contextlib.contextmanager
def _recorded(path: Path, url: str) -> Any:
    """Tell other commands where the console is, while it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": os.getpid(), "web": url}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def _asked_to_stop() -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
