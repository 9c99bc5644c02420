"""A source that is away or slow is named as such, and the others go on."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.exceptions import ConnectionError as RedisAway

from models.clock import SetClock
from recoup.console import sources as module
from recoup.console.decisions import Decisions
from recoup.console.hub import Hub
from recoup.console.sources import Away, Source, Sources, reason


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def asked(*wanted: Source) -> Iterator[tuple[Hub, Sources]]:
    hub = Hub(Decisions(), SetClock(0))
    sources = Sources(hub, list(wanted))
    sources.start()
    try:
        yield hub, sources
    finally:
        sources.stop()


def states(sources: Sources) -> dict[str, str]:
    return {told["system"]: told["state"] for told in sources.told()}


def test_one_that_is_away_says_why_and_the_others_go_on():
    def away() -> None:
        raise RedisAway("secret@host refused")

    with asked(
        Source("stopped", "Redis", 0.01, away, always=True),
        Source("money", "ClickHouse", 0.01, lambda: [1], always=True),
    ) as (hub, sources):
        wait_for(lambda: hub.part("money") == [1] and states(sources)["Redis"] == "away")
        (redis,) = [told for told in sources.told() if told["system"] == "Redis"]
        assert redis["says"] == "it does not answer (ConnectionError)", "and nothing that the error quotes"


def test_what_was_known_stays_while_a_source_is_away_and_it_comes_back_by_itself():
    answers = iter([1, 2])
    broken = threading.Event()

    def read() -> int:
        if broken.is_set():
            raise Away("gone for a while")
        return next(answers)

    with asked(Source("money", "ClickHouse", 0.01, read, always=True)) as (hub, sources):
        wait_for(lambda: hub.part("money") == 1 or hub.part("money") == 2)
        broken.set()
        wait_for(lambda: states(sources)["ClickHouse"] == "away")
        assert hub.part("money") in (1, 2)
        answers = iter(range(10, 1_000_000))
        broken.clear()
        wait_for(lambda: states(sources)["ClickHouse"] == "fine" and hub.part("money") >= 10)


def test_a_slow_one_holds_up_no_other(monkeypatch):
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.05)
    go_on = threading.Event()
    counted = iter(range(1_000_000))
    with asked(
        Source("money", "ClickHouse", 0.01, lambda: go_on.wait(20), always=True),
        Source("stream", "Kafka", 0.01, lambda: next(counted), always=True),
    ) as (hub, sources):
        wait_for(lambda: states(sources)["ClickHouse"] == "late")
        before = hub.part("stream") or 0
        wait_for(lambda: (hub.part("stream") or 0) > before + 3)
        go_on.set()
        wait_for(lambda: states(sources)["ClickHouse"] == "fine")


def test_nobody_is_asked_while_nobody_reads():
    questions: list[int] = []
    with asked(Source("money", "ClickHouse", 0.01, lambda: questions.append(1))) as (hub, _):
        assert questions == []
        with hub.reading({}):
            wait_for(lambda: len(questions) > 0)


def test_an_unexpected_error_is_told_by_its_kind_alone():
    assert reason(KeyError("Jane Doe")) == "it does not answer (KeyError)"
