"""Each source of the page is asked on a thread of its own: one that is slow or away holds up no other, and says so."""

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaError, KafkaException
from redis.exceptions import RedisError

from connectors.clickhouse.client import explain
from recoup.console.hub import Hub
from schemas.errors import RecoupError

System = Literal["Kafka", "Workers", "ClickHouse", "Redis"]
SLOW_SECONDS = 5.0
"""An answer that takes longer is said to be late; what was known before stays."""


class Away(Exception):
    """A source cannot tell anything now; says why, and what to do."""


class Source(msgspec.Struct, frozen=True):
    """One part of the page, and how it comes to be known."""

    part: str
    system: System
    every: float
    """Seconds between two questions."""
    read: Callable[[], Any]
    """What the part shows. Raises what the clients raise."""
    always: bool = False
    """Also while nobody reads."""


class State(msgspec.Struct):
    """How a source does."""

    part: str
    system: str
    state: Literal["waiting", "fine", "late", "away"] = "waiting"
    says: str = ""
    asked: float | None = None
    """Since when an answer is waited for, monotonic."""


class Sources:
    """Asks every source again and again until it is stopped."""

    def __init__(self, hub: Hub, sources: list[Source]) -> None:
        self.hub = hub
        self.states = {source.part: State(source.part, source.system) for source in sources}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(source,), name=source.part, daemon=True) for source in sources
        ]
        self._threads.append(threading.Thread(target=self._report, name="sources", daemon=True))

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more; does not wait for answers."""
        self._stop.set()
        self.hub.watched.set()

    def told(self) -> list[dict[str, str]]:
        """Each system once: the worst of what its sources say."""
        rank = ("waiting", "fine", "late", "away")
        worst: dict[str, dict[str, str]] = {}
        for state in self.states.values():
            now = self._state(state)
            before = worst.get(state.system)
            if before is None or rank.index(now["state"]) > rank.index(before["state"]):
                worst[state.system] = now
        return list(worst.values())

    def _state(self, state: State) -> dict[str, str]:
        asked = state.asked
        if asked is not None and state.state != "away" and time.monotonic() - asked > SLOW_SECONDS:
            return {"system": state.system, "state": "late", "says": "it answers slowly; what it said last is shown"}
        return {"system": state.system, "state": state.state, "says": state.says}

    def _report(self) -> None:
        while not self._stop.wait(0.5):
            self.hub.put("sources", self.told())

    def _ask(self, source: Source) -> None:
        state = self.states[source.part]
        while not self._stop.is_set():
            if not source.always:
                self.hub.watched.wait()
                if self._stop.is_set():
                    return
            state.asked = time.monotonic()
            try:
                self.hub.put(source.part, source.read())
                state.state, state.says = "fine", ""
            except Exception as error:  # noqa: BLE001 - whatever ails one source must not take the others from the page
                state.state, state.says = "away", reason(error)
            finally:
                state.asked = None
            self._stop.wait(source.every)


def reason(error: BaseException) -> str:
    """Why a source is away, without anything that it may have quoted."""
    if isinstance(error, Away | RecoupError):
        return str(error)
    if isinstance(error, KafkaException):
        about = error.args[0]
        return f"it does not answer ({about.name() if isinstance(about, KafkaError) else type(error).__name__})"
    if isinstance(error, RedisError):
        return f"it does not answer ({type(error).__name__})"
    if isinstance(error, ClickHouseError):
        said = explain(error)
        missing = "UNKNOWN_TABLE" in said or "UNKNOWN_IDENTIFIER" in said
        return said + ("; `recoup migrate` makes what is missing" if missing else "")
    return f"it does not answer ({type(error).__name__})"
