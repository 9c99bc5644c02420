"""A provider that outlives the workers which call it and counts what it was given: `python -m tests.chaos.provider_double`.

`POST /keyed` contacts a customer once for each key, `POST /keyless` with every call. A twentieth of the contacts is put
off at the first call, which contacts nobody. Every call takes a few milliseconds, so that a worker may die in it; with
`POST /hold` the next ones are not answered at all. `GET /counts` tells how often each key was contacted, by kind, and
when the last was. It prints its port.
"""

import json
import random
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from zlib import crc32

import httpx

from connectors.channels.channel import Delivery, Message
from schemas.errors import NotSent

PUT_OFF = 20
"""One in so many."""
HELD_SECONDS = 3_600


class Counts:
    """What the provider was given."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.contacted: dict[str, Counter[str]] = {"keyed": Counter(), "keyless": Counter()}
        self.put_off: set[str] = set()
        self.last = 0.0
        """When a customer was contacted last, in epoch seconds."""
        self.hold = False
        self.dice = random.Random(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = Counts()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        kind, counts = self.path.strip("/"), self.counts
        if kind == "hold":
            counts.hold = bool(json.loads(body))
            self._answer(200, {})
            return
        key = json.loads(body)["key"]
        with counts.lock:
            if crc32(key.encode()) % PUT_OFF == 0 and key not in counts.put_off:
                counts.put_off.add(key)
                self._answer(503, {})
                return
            if kind == "keyless" or not counts.contacted[kind][key]:
                counts.contacted[kind][key] += 1
                counts.last = time.time()
            seconds = counts.dice.uniform(0.0, 0.02)
        time.sleep(HELD_SECONDS if counts.hold else seconds)  # of a server, not of a test
        self._answer(200, {"id": f"double-{key}"})

    def do_GET(self) -> None:
        with self.counts.lock:
            self._answer(200, self.counts.contacted | {"last": self.counts.last})

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the library's contract

    def _answer(self, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Double:
    """The provider as a channel."""

    most_seconds = 2.0

    def __init__(self, url: str, *, idempotent: bool) -> None:
        self.name = "keyed" if idempotent else "keyless"
        self.idempotent = idempotent
        self.url = f"{url}/{self.name}"
        self.client = httpx.AsyncClient(timeout=60.0)

    async def send(self, message: Message) -> Delivery:
        try:
            answer = await self.client.post(self.url, json={"key": message.key})
        except httpx.ConnectError as error:
            raise NotSent("no connection", code="connect") from error
        if answer.status_code == 503:
            raise NotSent("put off", code="busy:503", scope="contact")
        return Delivery("sent", provider_id=answer.json()["id"])

    async def close(self) -> None:
        await self.client.aclose()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A worker that is killed leaves its connections; that is what this test is about."""


def main() -> None:
    server = Server(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
