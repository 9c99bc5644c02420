"""How fast events flow, how far behind the jobs are, and how the workers do: by Kafka's offsets and their own words."""

import http.client
import json
import time
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from confluent_kafka import KafkaException

from connectors.kafka.offsets import Offsets
from recoup.console.series import Series
from recoup.console.sources import Away
from recoup.console.tail import Tail
from recoup.demo.figures import Figures, Samples, parse
from recoup.demo.pace import Pace
from recoup.settings import Settings
from schemas.registry import SOURCE_TOPICS
from streams.decide.agent import GROUP

ANSWER_SECONDS = 1.5
RECENT_SECONDS = 60.0
"""Latencies are of the last minute."""
TO_DECISION, TO_ROW = "recoup_event_to_decision_seconds", "recoup_event_to_row_seconds"
BUCKETS = (f"{TO_DECISION}_bucket", f"{TO_ROW}_bucket")

Quantiles = tuple[float, float] | None
"""p50 and p99 in milliseconds; None = nothing came in the last minute."""


class Streaming(msgspec.Struct, frozen=True):
    """What Kafka says."""

    events_per_second: float
    decisions_per_second: float
    lag: int
    """Messages that decide has yet to handle."""
    lag_seconds: float
    events: list[float | None]
    decisions: list[float | None]
    lags: list[float | None]


class Worker(msgspec.Struct, frozen=True):
    """How one worker does."""

    name: str
    job: str
    state: str
    """`working`, `starting`, `joining`, `stuck`, `silent` (it does not answer) or `gone`."""
    ready: bool
    partitions: int


class Working(msgspec.Struct, frozen=True):
    """What the workers of this home say."""

    workers: tuple[Worker, ...]
    rows_per_second: float | None
    """None = no land worker runs here."""
    to_decision: Quantiles
    to_row: Quantiles
    rows: list[float | None]
    to_decisions: list[float | None]
    """p99."""
    to_rows: list[float | None]


class Stream:
    """Reads rates and lag."""

    def __init__(self, settings: Settings, tail: Tail, now: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.tail = tail
        self.now = now
        self._offsets: Offsets | None = None
        self._failed = False
        self._events, self._decisions, self._behind = Pace(), Pace(), Pace()
        self._series = Series(), Series(), Series()

    def read(self) -> Streaming:
        """As of now.

        Raises:
            Away: Kafka cannot be listened to.
            KafkaException: it does not answer.
        """
        committed = self._committed()
        if self.tail.away is not None:
            raise Away(self.tail.away)
        now, lag = self.now(), self.tail.behind(committed)
        produced, decided = self.tail.produced(), self.tail.came[self.tail.decided]
        self._events.look(now, produced, produced)
        self._decisions.look(now, decided, decided)
        self._behind.look(now, produced, produced - lag)
        events, decisions = self._events.per_second(), self._decisions.per_second()
        for series, value in zip(self._series, (events, decisions, float(lag)), strict=True):
            series.add(now, value)
        shown = [series.points(now) for series in self._series]
        return Streaming(
            events_per_second=round(events, 1),
            decisions_per_second=round(decisions, 1),
            lag=lag,
            lag_seconds=round(self._behind.lag_seconds(), 1),
            events=shown[0],
            decisions=shown[1],
            lags=shown[2],
        )

    def _committed(self) -> dict[tuple[str, int], int]:
        places = self.tail.places()
        if self._offsets is None and places:
            self._offsets = Offsets(self.settings.kafka, GROUP, places)
        if self._offsets is None:
            return {}
        try:
            committed = self._offsets.committed()
        except KafkaException:
            self._failed = True
            raise
        if self._failed:
            self._failed = False
            self.tail.begin_anew()
        return committed


class Crew:
    """Asks the workers of one home. What one of them counted still counts when it is gone."""

    def __init__(self, home: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.home = home
        self.now = now
        self._said: dict[int, Samples] = {}
        """By pid."""
        self._before: deque[tuple[float, Samples]] = deque()
        """The latencies of the last minute."""
        self._rows = Pace()
        self._series = Series(), Series(), Series()

    def read(self) -> Working:
        """As of now.

        Raises:
            Away: no worker runs under this home.
        """
        workers = tuple(self._ask(path) for path in sorted((self.home / "run").glob("worker-*.json")))
        if not any(worker.state != "gone" for worker in workers):
            raise Away(f"no worker runs under {self.home}; rates and latencies come from Kafka and ClickHouse alone")
        now, figures = self.now(), Figures()
        for samples in self._said.values():
            figures.add(samples)
        landed = figures.total("recoup_rows_landed_total")
        self._rows.look(now, landed, landed)
        lands = any(worker.job == "land" for worker in workers)
        rows = round(self._rows.per_second(), 1) if lands else None
        recent = self._recent(now, figures)
        to_decision, to_row = _quantiles(recent, TO_DECISION, None), _quantiles(recent, TO_ROW, SOURCE_TOPICS)
        values = (rows, to_decision and to_decision[1], to_row and to_row[1])
        for series, value in zip(self._series, values, strict=True):
            series.add(now, value)
        shown = [series.points(now) for series in self._series]
        return Working(workers, rows, to_decision, to_row, *shown)

    def _ask(self, path: Path) -> Worker:
        name = path.stem.removeprefix("worker-")
        job = name.rpartition("-")[0]
        try:
            where = json.loads(path.read_text())
            health = json.loads(_get(where["web"], "/ready", (http.client.OK, http.client.SERVICE_UNAVAILABLE)))
            self._said[int(where["pid"])] = parse(_get(where["web"], "/metrics", (http.client.OK,)).decode())
        except (TimeoutError, http.client.HTTPException):
            return Worker(name, job, "silent", ready=False, partitions=0)
        except (OSError, ValueError, KeyError, TypeError):
            return Worker(name, job, "gone", ready=False, partitions=0)
        return Worker(name, job, str(health.get("state")), bool(health.get("ready")), int(health.get("units", 0)))

    def _recent(self, now: float, figures: Figures) -> Figures:
        """The latencies that were measured within the last minute."""
        latest = {key: value for key, value in figures.samples.items() if key[0] in BUCKETS}
        self._before.append((now, latest))
        while len(self._before) > 1 and self._before[1][0] <= now - RECENT_SECONDS:
            self._before.popleft()
        earlier = self._before[0][1]
        return Figures({key: value - earlier.get(key, 0.0) for key, value in latest.items()})


def _quantiles(figures: Figures, name: str, topics: Collection[str] | None) -> Quantiles:
    """p50 and p99 of a histogram of seconds, in milliseconds."""
    half, most = figures.quantile(name, 0.5, topics), figures.quantile(name, 0.99, topics)
    return None if half is None or most is None else (round(half * 1000, 1), round(most * 1000, 1))


def _get(web: str, page: str, fine: Collection[int]) -> bytes:
    address = urlsplit(web)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        if answer.status not in fine:
            raise http.client.HTTPException(f"{answer.status} from {page}")
        return answer.read()
    finally:
        connection.close()
