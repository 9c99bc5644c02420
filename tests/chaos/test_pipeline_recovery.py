"""Both jobs under every disturbance: each message is one row, each state what the topics say, each decision one."""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from recoup.stack.stack import Stack
from tests.chaos import oracle
from tests.chaos.fleet import Fleet, Worker
from tests.chaos.flow import Flow
from tests.chaos.test_decide_recovery import assert_nothing_was_lost_or_repeated

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(420)]

MOMENTS = int(os.environ.get("CHAOS_MOMENTS", "3"))
RATE = 1_000.0
"""Events a second. A transaction costs much the same however few its events are: more would keep decide no busier."""
HIGH_RATE = 5_000.0
"""So many that decide is behind and has several polls in hand."""
MOST_EVENTS = 1_000_000
AWAY_SECONDS = 8.0
LONGEST_PAUSE = 1.5

Disturb = Callable[[], None]


class Disturbed:
    """A pipeline of one decide and one land worker under a flow of events, and what must hold when it is over."""

    def __init__(self, fleet: Fleet, stack: Stack, seed: int, rate: float) -> None:
        self.fleet = fleet
        self.stack = stack
        self.settings = fleet.settings
        self.random = random.Random(seed)
        self.decide = fleet.worker("decide")
        self.land = fleet.worker("land")
        fleet.until(lambda: self.decide.is_ready and self.land.is_ready, "the workers did not start")
        # It ends when the disturbances have.
        self.flow = Flow(self.settings.kafka, seed=1_000 + seed, accounts=2_000, number=MOST_EVENTS, rate=rate).start()

    def at_random_moments(self, disturb: Disturb) -> None:
        """Disturb so often, each time at some moment of the next seconds."""
        for _ in range(MOMENTS):
            moment = time.monotonic() + self.random.uniform(0.2, LONGEST_PAUSE)
            self.fleet.until(lambda moment=moment: time.monotonic() > moment, "time stood still")  # type: ignore[misc]
            disturb()

    def settle(self) -> None:
        """Let everything come to rest, and look at all of it."""
        fleet, settings = self.fleet, self.settings
        assert not self.flow.done, "events ended before the disturbances did"
        self.flow.end()
        fleet.until(lambda: self.flow.done, "the flow did not end", 120)
        assert self.flow.failed == 0
        fleet.until(lambda: oracle.decide_has_caught_up(settings), "decide did not catch up", 90)
        for worker in fleet.workers:
            if worker.job == "decide":
                worker.stop()
        held = oracle.messages_to_land(settings)
        fleet.until(lambda: oracle.everything_has_landed(settings, held), "not everything has landed", 90)
        # A worker that was killed in the middle of its last block has to take over once more: a view may lack that block.
        fleet.until(lambda: all(w.is_ready for w in fleet.workers if w.wanted), "land did not take over", 90)
        fleet.stop()
        assert_nothing_was_lost_or_repeated(settings)
        assert oracle.everything_has_landed(settings, held)
        assert oracle.assert_postings_are_the_books(settings, landed=True) > 0
        assert oracle.assert_aggregates_are_what_the_tables_say(settings) > 0


@pytest.fixture
def pipeline(fleet: Fleet, ground: Stack, request: pytest.FixtureRequest) -> Disturbed:
    return Disturbed(fleet, ground, seed=sum(request.node.name.encode()), rate=getattr(request, "param", RATE))


def test_decide_is_killed(pipeline: Disturbed) -> None:
    pipeline.at_random_moments(pipeline.decide.kill)
    pipeline.settle()


def test_land_is_killed(pipeline: Disturbed) -> None:
    pipeline.at_random_moments(pipeline.land.kill)
    pipeline.settle()


@pytest.mark.parametrize("pipeline", [HIGH_RATE], indirect=True)
def test_both_are_killed(pipeline: Disturbed) -> None:
    def kill() -> None:
        pipeline.decide.kill()
        pipeline.land.kill()

    pipeline.at_random_moments(kill)
    pipeline.settle()


@pytest.mark.slow  # up to a minute a restart: a silent client is noticed after ten seconds and its worker started again
def test_the_broker_restarts(pipeline: Disturbed) -> None:
    pipeline.at_random_moments(lambda: restart(pipeline.stack, "kafka", signal.SIGTERM))
    pipeline.settle()


def test_redis_is_killed(pipeline: Disturbed) -> None:
    pipeline.at_random_moments(lambda: restart(pipeline.stack, "redis", signal.SIGKILL))
    pipeline.settle()


def test_clickhouse_is_away(pipeline: Disturbed) -> None:
    runner = pipeline.stack.runners["clickhouse"]
    kill_part(pipeline.stack, "clickhouse", signal.SIGKILL)
    back = time.monotonic() + AWAY_SECONDS
    pipeline.fleet.until(lambda: time.monotonic() > back, "time stood still")
    runner.up(lambda part, what: None)
    pipeline.settle()


@pytest.mark.parametrize("job", ["decide", "land"])
def test_a_worker_is_frozen_past_its_session_and_woken(job: str, pipeline: Disturbed) -> None:
    frozen: Worker = getattr(pipeline, job)
    other = pipeline.fleet.worker(job, slot=1)
    pipeline.fleet.until(lambda: other.units > 0, "the second worker did not join")
    frozen.freeze()
    pipeline.fleet.until(lambda: other.units > frozen_units(job), "the partitions did not move", 40)
    frozen.wake()
    pipeline.settle()


def test_workers_join_and_leave_while_batches_are_queued(pipeline: Disturbed) -> None:
    guests: list[Worker] = []

    def join_or_leave() -> None:
        if guests:
            assert [guest.stop() for guest in guests] == [0, 0]
            guests.clear()
        else:
            guests.extend(pipeline.fleet.worker(job, slot=2) for job in ("decide", "land"))
            pipeline.fleet.until(lambda: all(guest.units for guest in guests), "a guest did not join")

    pipeline.at_random_moments(join_or_leave)
    pipeline.settle()


def test_sigterm_in_mid_batch(pipeline: Disturbed) -> None:
    def stop() -> None:
        for worker in (pipeline.decide, pipeline.land):
            worker.send(signal.SIGTERM)

    pipeline.at_random_moments(stop)
    pipeline.settle()
    # A worker that is told to stop before it has begun just ends.
    exits = pipeline.decide.exits + pipeline.land.exits
    assert 0 in exits
    assert set(exits) <= {0, -signal.SIGTERM}


def frozen_units(job: str) -> int:
    """More than half of the partitions that a job has: what the other worker holds only when the first has none."""
    return {"decide": oracle.PARTITIONS // 2, "land": 40}[job]


def kill_part(stack: Stack, name: str, how: signal.Signals) -> None:
    """End one server of the stack by its pid."""
    process = stack.runners[name].process()
    assert process is not None
    os.kill(process.pid, how)
    deadline = time.monotonic() + 30
    while process.alive():
        assert time.monotonic() < deadline, f"{name} did not end"
        time.sleep(0.02)


def restart(stack: Stack, name: str, how: signal.Signals) -> None:
    """End one server and start it again on the same port."""
    kill_part(stack, name, how)
    stack.runners[name].up(lambda part, what: None)
