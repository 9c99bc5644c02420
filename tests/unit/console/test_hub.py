"""A reader gets the newest of each part, at most so often, and nothing piles up for one who is slow."""

import asyncio
from typing import Any

import msgspec
import pytest

from models.clock import SetClock
from recoup.console.decisions import KEPT, Decisions
from recoup.console.hub import PULSE_SECONDS, TICK_SECONDS, Hub
from tests.unit.console.test_decisions import message

NOW = 1_790_000_000_000


@pytest.fixture
def hub() -> Hub:
    return Hub(Decisions(), SetClock(NOW))


def told(event: bytes) -> Any:
    line = event.split(b"data: ", 1)[1]
    assert line.endswith(b"\n\n")
    assert b"\n" not in line[:-2], "a message is one line"
    return msgspec.json.decode(line)


async def test_the_first_update_holds_all_that_is_known(hub):
    hub.put("money", [1])
    hub.decisions.take([message(decision_id="before")])
    hub.tick()
    with hub.reading({"csrf": "x"}) as updates:
        first = told(await anext(updates))
    assert first["hello"] == {"csrf": "x"}
    assert first["parts"] == {"money": [1]}
    assert [row["decision_id"] for row in first["rows"]] == ["before"]


async def test_an_update_holds_only_what_changed(hub):
    hub.put("money", [1])
    hub.put("denied", [])
    with hub.reading({}) as updates:
        await anext(updates)
        hub.tick()  # what the first update said already
        hub.put("money", [1])
        hub.put("denied", [2])
        hub.tick()
        await anext(updates)
        hub.put("denied", [3])
        hub.put("money", [1])
        hub.tick()
        assert told(await anext(updates))["parts"] == {"denied": [3]}


async def test_a_slow_reader_gets_the_newest_and_a_bounded_number_of_rows(hub):
    with hub.reading({}) as updates:
        await anext(updates)
        for number in range(500):
            hub.put("stream", number)
            hub.decisions.take([message(decision_id=f"d{number}-{n}") for n in range(50)])
            hub.tick()
        (reader,) = hub.readers
        assert len(reader.rows) == KEPT
        late = told(await anext(updates))
        assert late["parts"] == {"stream": 499}
        assert len(late["rows"]) == KEPT
        assert late["came"] == 25_000
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(updates)


async def test_a_quiet_page_still_hears_that_it_is_not_stale(hub):
    with hub.reading({}) as updates:
        await anext(updates)
        for _ in range(round(PULSE_SECONDS / TICK_SECONDS)):
            hub.tick()
        assert told(await anext(updates)) == {"at": NOW}


async def test_costly_questions_are_asked_only_while_somebody_reads(hub):
    assert not hub.watched.is_set()
    with hub.reading({}), hub.reading({}):
        assert hub.watched.is_set()
    assert not hub.watched.is_set()
    assert hub.readers == set()


async def test_four_updates_a_second_are_the_most(hub):
    assert TICK_SECONDS >= 0.25
    ticking = asyncio.create_task(hub.run())
    heard = 0
    with hub.reading({}) as updates:
        await anext(updates)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while heard < 4:
            hub.put("stream", loop.time())
            async with asyncio.timeout(5):
                await anext(updates)
            heard += 1
        assert loop.time() - began >= 0.9 * 3 * TICK_SECONDS
    ticking.cancel()
