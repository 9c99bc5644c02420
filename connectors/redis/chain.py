"""The chain of what people do with the system: one link at a time, none lost between Redis and Kafka."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import redis
from redis.client import Pipeline
from redis.exceptions import LockError, LockNotOwnedError, WatchError
from redis.lock import Lock

from models.audit import START, Act, Head, key_of, link
from schemas.errors import NotReady

CHAIN = "control"
LOCK_SECONDS = 60.0
"""Longer than a link takes to be published; a command that died lets the next one in after that. One that only slept
finds out before it writes to Redis."""
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

    def add(self, *acts: Act) -> None:
        """Keep acts, all or none, so that they are told whatever happens next."""
        if acts:
            self.client.rpush(self.name + "acts", *map(encode, acts))

    def waiting(self) -> int:
        """Acts that are not in Kafka yet."""
        return int(self.client.llen(self.name + "acts"))

    def head(self) -> Head:
        """The last link that Kafka has taken."""
        stored = self.client.get(self.name + "head")
        return decode_head(stored) if stored else START

    def furthest(self) -> Head:
        """The last link that Kafka may have: that on its way, if there is one."""
        link, head = self.client.mget(self.name + "link", self.name + "head")
        if link:
            return decode_link(link).head
        return decode_head(head) if head else START

    def publish(self, publish: Publish, last_in_log: Callable[[], Head]) -> int:
        """Publish every act that waits, oldest first; how many.

        Args:
            last_in_log: asked where the chain ends when Redis does not know: at its first link, or after Redis was lost.

        Raises:
            NotReady: Kafka did not take one, or somebody else is at it for too long.
        """
        published, first = 0, START
        if self.head() == START and self.waiting():
            first = last_in_log()  # before the lock: a log may take longer to read than the lock lasts
        with self._alone() as lock:
            while (act := self.client.lindex(self.name + "acts", 0)) is not None:
                lock.reacquire()
                # The bytes are written down first: after a crash the same link is sent again, and a reader takes the
                # repeat for one.
                on_its_way = self.client.get(self.name + "link")
                going = decode_link(on_its_way) if on_its_way else self._link(lock, decode_act(act), first)
                publish(going.key, going.message)
                self._change(lock, partial(self._published, going))
                published += 1
        return published

    def _link(self, lock: Lock, act: Act, first: Head) -> Link:
        head = self.head()
        message, head = link(first if head == START else head, CHAIN, act)
        going = Link(key_of(act), message, head)
        self._change(lock, lambda change: change.set(self.name + "link", encode(going)))
        return going

    def _published(self, going: Link, change: "Pipeline[Any]") -> None:
        change.set(self.name + "head", encode(going.head))
        change.delete(self.name + "link")
        change.lpop(self.name + "acts")

    def _change(self, lock: Lock, change: "Callable[[Pipeline[Any]], Any]") -> None:
        """Change Redis unless the lock has passed to somebody else: what they took up must not be taken off again."""
        with self.client.pipeline(transaction=True) as pipeline:
            pipeline.watch(lock.name)
            if not lock.owned():
                raise LockNotOwnedError("the lock has passed on")
            pipeline.multi()
            change(pipeline)
            pipeline.execute()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Lock]:
        lock = self.client.lock(self.name + "lock", timeout=LOCK_SECONDS, blocking_timeout=WAIT_SECONDS)
        if not lock.acquire():
            raise NotReady(f"Somebody else has been writing to the audit log for {WAIT_SECONDS:g} s. Try again.")
        try:
            yield lock
        except (LockError, WatchError) as error:
            raise NotReady(
                f"This took longer than {LOCK_SECONDS:g} s, and somebody else writes to the audit log now. What was done is"
                " kept; it goes before the next act."
            ) from error
        finally:
            with contextlib.suppress(LockError):  # it took longer than the lock lasts: the next one has it
                lock.release()
