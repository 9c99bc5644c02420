"""decide, killed at every await: nothing is lost, nothing happens twice, every state is what the topics say."""

import signal

import pytest

from recoup.settings import Settings
from tests.chaos import oracle
from tests.chaos.cut_worker import CUTS
from tests.chaos.fleet import Fleet
from tests.chaos.flow import Flow

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def dies_at(cut: str, slot: int = 0, how: str = "SIGKILL") -> list[str]:
    """The life of a worker that dies at its second batch (or at its second claim), at this call."""
    nth = 40 if cut == "after_produce" else 2
    return ["tests.chaos.cut_worker", cut, str(nth), how, str(slot)]


def assert_nothing_was_lost_or_repeated(settings: Settings) -> None:
    oracle.assert_each_event_counted_once(settings)
    assert oracle.assert_states_are_what_the_topics_say(settings) > 0
    assert oracle.assert_decisions_are_whole(settings) > 0
    assert oracle.assert_postings_are_the_books(settings) > 0


def test_killed_at_every_await_one_after_another(fleet: Fleet, ground_settings: Settings) -> None:
    worker = fleet.worker("decide", lives=[dies_at(cut) for cut in CUTS])
    flow = Flow(ground_settings.kafka, seed=1, accounts=1_000, number=100_000, rate=500).start()
    fleet.until(lambda: worker.exits.count(-signal.SIGKILL) == len(CUTS), "not every await was reached", 150)
    flow.end()
    fleet.until(lambda: flow.done, "the flow did not end")
    assert flow.failed == 0
    fleet.until(lambda: oracle.decide_has_caught_up(ground_settings), "decide did not catch up")
    worker.stop()
    assert set(worker.exits) == {-signal.SIGKILL}
    assert_nothing_was_lost_or_repeated(ground_settings)


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS)
def test_two_workers_one_frozen_at_any_await_past_its_session(
    cut: str, fleet: Fleet, ground_settings: Settings
) -> None:
    """A frozen worker loses its partitions to the other one; woken again, its late write and commit are refused."""
    other = fleet.worker("decide", slot=1)
    fleet.until(lambda: other.is_ready, "the first worker did not start")
    frozen = fleet.worker("decide", lives=[dies_at(cut, how="SIGSTOP")])
    flow = Flow(ground_settings.kafka, seed=100 + CUTS.index(cut), accounts=300, number=12_000, rate=500).start()
    fleet.until(lambda: frozen.is_frozen, f"{cut} was not reached")
    fleet.until(lambda: other.units == oracle.PARTITIONS, "the other worker did not take over", 40)
    frozen.wake()
    fleet.until(lambda: flow.done, "the flow did not end")
    fleet.until(lambda: oracle.decide_has_caught_up(ground_settings), "decide did not catch up")
    fleet.stop()
    assert_nothing_was_lost_or_repeated(ground_settings)
