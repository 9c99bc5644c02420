"""The console's server: one page, its assets, one stream of updates, and answers about an account or a dead letter."""

import asyncio
import contextlib
import hashlib
import mimetypes
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException
from redis.exceptions import RedisError

from recoup.console.account import Page
from recoup.console.guard import HEADERS, Guard, Handler
from recoup.console.hub import MOST_READERS, Hub
from recoup.console.letters import Sent, Shown, Verdict, Wanted, wanted_from
from recoup.console.sources import reason
from schemas.currencies import CURRENCIES, decimals
from schemas.errors import BadInput, RecoupError

ASSETS = Path(__file__).parent / "assets"
PAGE = "index.html"
MOST_BODY = 1 << 20
QUESTIONS_AT_ONCE = 4
"""Stories and dead letters that are looked up at once; whoever asks meanwhile waits."""
WAIT_SECONDS = 20.0

Answer = TypeVar("Answer")


class Desk(Protocol):
    """Answers one person's question; each call may take a second, and runs on a thread of its own."""

    def account(self, tenant_id: str, account_id: str) -> Page: ...
    def search(self, text: str) -> list[dict[str, str]]: ...
    def letters(self, topic: str, reason: str, skip: int) -> dict[str, Any]: ...
    def letter(self, at: str) -> Shown: ...
    def prove(self, wanted: Wanted) -> Verdict: ...
    def send(self, wanted: Wanted) -> Sent: ...


class Console:
    """Answers requests. `about` is told to each page at its start."""

    def __init__(self, hub: Hub, guard: Guard, desk: Desk, about: dict[str, Any]) -> None:
        self.hub = hub
        self.guard = guard
        self.desk = desk
        self.about = about
        self._places = threading.Semaphore(QUESTIONS_AT_ONCE)
        self._assets = {path.name: _asset(path) for path in ASSETS.iterdir() if path.is_file()}

    def app(self) -> web.Application:
        """The application, to be run by aiohttp."""
        app = web.Application(middlewares=[self._middleware()], client_max_size=MOST_BODY)
        app.router.add_get("/", self._page)
        app.router.add_get("/assets/{name}", self._asset)
        app.router.add_get("/api/stream", self._stream)
        app.router.add_get("/api/account", self._account)
        app.router.add_get("/api/search", self._search)
        app.router.add_get("/api/letters", self._letters)
        app.router.add_get("/api/letter", self._letter)
        app.router.add_post("/api/letter/prove", self._prove)
        app.router.add_post("/api/letter/send", self._send)
        app.cleanup_ctx.append(self._ticking)
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def judge(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.guard.judge(request, handler)

        return judge

    async def _ticking(self, _: web.Application) -> AsyncIterator[None]:
        ticking = asyncio.create_task(self.hub.run())
        yield
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking

    # -- what is served ------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        return self._served(request, PAGE)

    async def _asset(self, request: web.Request) -> web.Response:
        return self._served(request, request.match_info["name"])

    def _served(self, request: web.Request, name: str) -> web.Response:
        if name not in self._assets:
            raise web.HTTPNotFound(text="There is no such page.\n")
        body, kind, tag = self._assets[name]
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self.hub.readers) >= MOST_READERS:
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        response = web.StreamResponse(
            headers=HEADERS | {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        digits = {currency: decimals(currency) for currency in sorted(CURRENCIES) if decimals(currency) != 2}
        hello = {"csrf": self.guard.csrf, "decimals": digits, **self.about}
        with self.hub.reading(hello) as updates, contextlib.suppress(ConnectionError):
            async for update in updates:
                await response.write(update)
        return response

    # -- questions -----------------------------------------------------------------------------------------------------

    async def _account(self, request: web.Request) -> web.Response:
        tenant, account = request.query.get("tenant", ""), request.query.get("id", "")
        return await self._answer(lambda: self.desk.account(tenant, account))

    async def _search(self, request: web.Request) -> web.Response:
        text = request.query.get("q", "")
        return await self._answer(lambda: self.desk.search(text))

    async def _letters(self, request: web.Request) -> web.Response:
        topic, why = request.query.get("topic", ""), request.query.get("reason", "")
        skip = request.query.get("skip", "0")
        return await self._answer(lambda: self.desk.letters(topic, why, int(skip) if skip.isdecimal() else 0))

    async def _letter(self, request: web.Request) -> web.Response:
        at = request.query.get("at", "")
        return await self._answer(lambda: self.desk.letter(at))

    async def _prove(self, request: web.Request) -> web.Response:
        body = await request.read()
        return await self._answer(lambda: self.desk.prove(wanted_from(body)))

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.read()
        return await self._answer(lambda: self.desk.send(wanted_from(body)))

    async def _answer(self, ask: Callable[[], Any]) -> web.Response:
        """The answer as JSON, or why there is none."""
        try:
            status, told = 200, await asyncio.to_thread(self._in_turn, ask)
        except BadInput as error:
            status, told = 400, {"error": str(error)}
        except (RecoupError, ClickHouseError, KafkaException, RedisError, OSError) as error:
            status, told = 503, {"error": reason(error)}
        return web.Response(
            status=status,
            body=msgspec.json.encode(told),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    def _in_turn(self, ask: Callable[[], Answer]) -> Answer:
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise TimeoutError
        try:
            return ask()
        finally:
            self._places.release()


def _asset(path: Path) -> tuple[bytes, str, str]:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return body, kind, f'"{hashlib.sha256(body).hexdigest()[:20]}"'
