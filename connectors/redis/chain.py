"""The chain of what people do with the system: one link at a time, none lost between Redis and Kafka."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import redis
from redis.exceptions import LockError

from models.audit import START, Act, Head, key_of, link
from schemas.errors import NotReady

CHAIN = "control"
LOCK_SECONDS = 60.0
"""Longer than a link takes to be published; a command that died lets the next one in after that."""
WAIT_SECONDS = 30.0

Publish = Callable[[bytes, bytes], None]
"""Sends a link under its key and returns when Kafka has it; raises NotReady when it does not take it."""


class Link(msgspec.Struct, frozen=True):
    """A link that is on its way to Kafka."""

    key: bytes
    message: bytes
    head: Head


encode = msgspec.msgpack.Encoder().encode
decode_link = msgspec.msgpack.Decoder(Link).decode
decode_act = msgspec.msgpack.Decoder(Act).decode
decode_head = msgspec.msgpack.Decoder(Head).decode


class ControlChain:
    """Links acts of people into one chain. What Kafka does not take waits in Redis and goes before the next act."""

    def __init__(self, client: "redis.Redis[Any]", prefix: str) -> None:
        self.client = client
        self.name = f"{prefix}:{{audit}}:"

    def add(self, act: Act) -> None:
        """Keep an act, so that it is told whatever happens next."""
        self.client.rpush(self.name + "acts", encode(act))

    def waiting(self) -> int:
        """Acts that are not in Kafka yet."""
        return int(self.client.llen(self.name + "acts"))

    def head(self) -> Head:
        """The last link that Kafka has taken."""
        stored = self.client.get(self.name + "head")
        return decode_head(stored) if stored else START

    def publish(self, publish: Publish) -> int:
        """Publish every act that waits, oldest first; how many.

        Raises:
            NotReady: Kafka did not take one, or somebody else is at it for too long.
        """
        published = 0
        with self._alone():
            while (act := self.client.lindex(self.name + "acts", 0)) is not None:
                # The bytes are written down first: after a crash the same link is sent again, and a reader takes the
                # repeat for one.
                on_its_way = self.client.get(self.name + "link")
                going = decode_link(on_its_way) if on_its_way else self._link(decode_act(act))
                publish(going.key, going.message)
                change = self.client.pipeline(transaction=True)
                change.set(self.name + "head", encode(going.head))
                change.delete(self.name + "link")
                change.lpop(self.name + "acts")
                change.execute()
                published += 1
        return published

    def _link(self, act: Act) -> Link:
        message, head = link(self.head(), CHAIN, act)
        going = Link(key_of(act), message, head)
        self.client.set(self.name + "link", encode(going))
        return going

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = self.client.lock(self.name + "lock", timeout=LOCK_SECONDS, blocking_timeout=WAIT_SECONDS)
        if not lock.acquire():
            raise NotReady(f"Somebody else has been writing to the audit log for {WAIT_SECONDS:g} s. Try again.")
        try:
            yield
        finally:
            with contextlib.suppress(LockError):  # it took longer than the lock lasts: the next one has it
                lock.release()
