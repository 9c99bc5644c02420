"""As much of Twilio's REST API as Recoup asks for, on loopback: messages and calls made, refused, or left in doubt."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import parse_qsl

from connectors.channels.settings import TwilioSettings

SID = "AC" + "0" * 31 + "1"
TOKEN = "12345"
AUTHORIZATION = "Basic " + b64encode(f"{SID}:{TOKEN}".encode()).decode()


class TwilioServer:
    """What was made, and how the next request is answered.

    Attributes:
        made: resource (`Messages`, `Calls`) and form of each message or call that was made.
        reply: status, headers and body of the next answers instead of a good one.
        fault: `drop` closes the connection when the request has been read, `hang` never answers.
    """

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, str]]] = []
        self.requests = 0
        self.reply: tuple[int, dict[str, str], bytes] | None = None
        self.fault: Literal["drop", "hang"] | None = None
        self.asked = asyncio.Event()
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    def settings(self, **more: Any) -> TwilioSettings:
        fields: dict[str, Any] = {
            "account_sid": SID,
            "auth_token": TOKEN,
            "base_url": f"http://127.0.0.1:{self.port}",
        }
        return TwilioSettings(**(fields | more))

    def refuse(self, status: int, code: int, **headers: str) -> None:
        """Answer as Twilio refuses."""
        body = {"code": code, "message": "About +15005550001", "more_info": f".../{code}", "status": status}
        self.reply = status, headers, json.dumps(body).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                form = dict(parse_qsl((await reader.readexactly(int(headers["content-length"]))).decode()))
                self.requests += 1
                self.asked.set()
                if self.fault == "hang":
                    await asyncio.Event().wait()
                if self.fault == "drop":
                    return
                status, more, body = self.answer(request.split()[1], headers, form)
                said = "".join(f"{name}: {value}\r\n" for name, value in more.items())
                writer.write(f"HTTP/1.1 {status} -\r\n{said}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    def answer(self, path: str, headers: dict[str, str], form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.reply is not None:
            return self.reply
        if headers.get("authorization") != AUTHORIZATION:
            return 401, {}, json.dumps({"code": 20003, "message": "Authenticate", "status": 401}).encode()
        prefix = f"/2010-04-01/Accounts/{SID}/"
        resource = path.removeprefix(prefix).removesuffix(".json")
        if not path.startswith(prefix) or resource not in ("Messages", "Calls"):
            return 404, {}, json.dumps({"code": 20404, "message": "Not found", "status": 404}).encode()
        self.made.append((resource, form))
        sid = f"{'SM' if resource == 'Messages' else 'CA'}{len(self.made):032x}"
        return 201, {}, json.dumps({"sid": sid, "status": "queued", "error_code": None, "price": None}).encode()

    def close(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()


@asynccontextmanager
async def twilio_server() -> AsyncIterator[TwilioServer]:
    """The server while the block runs."""
    twilio = TwilioServer()
    listener = await asyncio.start_server(twilio.serve, "127.0.0.1", 0)
    twilio.port = listener.sockets[0].getsockname()[1]
    try:
        yield twilio
    finally:
        twilio.close()
        listener.close()
