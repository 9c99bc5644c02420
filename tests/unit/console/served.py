"""A console without servers behind it: its hub is filled by the test, its questions are answered by a double."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from aiohttp import web

from models.clock import Clock, WallClock
from recoup.console.account import Page, page_from
from recoup.console.app import Console
from recoup.console.decisions import Decisions
from recoup.console.guard import Guard
from recoup.console.hub import Hub
from recoup.console.letters import Sent, Shown, Verdict, Wanted
from recoup.explain.story import Story
from recoup.settings import ConsoleSettings
from schemas.errors import BadInput


class Double:
    """Answers questions from what it is given, and remembers what it was told."""

    def __init__(self) -> None:
        self.stories: dict[tuple[str, str], Story] = {}
        self.found: list[dict[str, str]] = []
        self.shown: dict[str, Shown] = {}
        self.sent: list[Wanted] = []

    def account(self, tenant_id: str, account_id: str) -> Page:
        if (tenant_id, account_id) not in self.stories:
            raise BadInput(f"Nothing is known of {account_id}.")
        return page_from(self.stories[tenant_id, account_id])

    def search(self, text: str) -> list[dict[str, str]]:
        return [found for found in self.found if text in found["account_id"]]

    def letters(self, topic: str, reason: str, skip: int) -> dict[str, Any]:
        names = ("at", "topic", "reason", "field", "detail", "attempt", "replayed")
        listed = [{name: getattr(letter, name) for name in names} for letter in self.shown.values()]
        return {
            "letters": [one | {"arrived_at": 1_790_000_000_000, "tenant_id": "", "account_id": ""} for one in listed],
            "more": False,
        }

    def letter(self, at: str) -> Shown:
        if at not in self.shown:
            raise BadInput(f"There is no message at {at}.")
        return self.shown[at]

    def prove(self, wanted: Wanted) -> Verdict:
        return Verdict("taken", "it would be taken")

    def send(self, wanted: Wanted) -> Sent:
        self.sent.append(wanted)
        if wanted.at in self.shown:
            self.shown[wanted.at] = msgspec.structs.replace(self.shown[wanted.at], replayed=True)
        return Sent(sent=True, says="It was sent again.", recorded=True)


class Served:
    """A console at work."""

    def __init__(self, settings: ConsoleSettings, clock: Clock) -> None:
        self.decisions = Decisions()
        self.hub = Hub(self.decisions, clock)
        self.desk = Double()
        self.console = Console(self.hub, Guard(settings, clock), self.desk, {"home": "test"})
        self.url = ""


@contextmanager
def served(settings: ConsoleSettings | None = None, clock: Clock | None = None) -> Iterator[Served]:
    """A console on a thread of its own, at a free port."""
    console = Served(settings or ConsoleSettings(), clock or WallClock())
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(console.console.app(), access_log=None, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        console.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield console
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
