"""When the consumer asks for more, and what the errors among its answers mean."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

import streams.consumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady, SlotTaken
from streams.consumer import ConsumerThread

LINGER = 0.5
BATCH = 100


class Answers:
    """Stands in for librdkafka's consumer: gives out what it holds and notes how long it was to wait."""

    def __init__(self, *messages: Any) -> None:
        self.messages = list(messages)
        self.waits: list[float] = []
        self.calls: list[tuple[Any, ...]] = []
        self.committed: Any = None

    def consume(self, most: int, wait: float) -> list[Any]:
        self.waits.append(round(wait, 3))
        found, self.messages = self.messages[:most], self.messages[most:]
        return found

    def assign(self, places: list[TopicPartition]) -> None:
        self.calls.append(("assign", places))

    def resume(self, places: list[TopicPartition]) -> None:
        self.calls.append(("resume", places))

    def unsubscribe(self) -> None:
        self.calls.append(("unsubscribe",))

    def close(self) -> None:
        self.calls.append(("close",))


class Message:
    """A message that is no error."""

    def error(self) -> None:
        return None


class Failed:
    """A message that is an error."""

    def __init__(self, code: int) -> None:
        self.code = code

    def error(self) -> KafkaError:
        return KafkaError(self.code)

    def topic(self) -> str:
        return "payment-events"

    def partition(self) -> int:
        return 3


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(streams.consumer, "time", clock)
    return clock


def consumer(answers: Answers) -> ConsumerThread:
    found = ConsumerThread(
        KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        "group",
        "slot-0",
        session_timeout=10.0,
        batch_size=BATCH,
        linger=LINGER,
        options={},
    )
    found._joined = answers  # type: ignore[assignment]
    return found


@pytest.mark.parametrize(
    ("busy", "wait"),
    [
        pytest.param(0.2, 0.3, id="polls are a linger apart"),
        pytest.param(3.0, 0.0, id="what arrived while the job was busy is not waited for again"),
    ],
)
async def test_the_linger_runs_from_poll_to_poll(clock: Clock, busy: float, wait: float):
    answers = Answers()
    polled = consumer(answers)
    await polled.poll()
    clock.now += busy
    await polled.poll()
    assert answers.waits == [0.0, wait]


async def test_a_poll_is_a_batch_at_most(clock: Clock):  # noqa: ARG001
    messages: list[Any] = [Message() for _ in range(BATCH + 1)]
    polled = consumer(Answers(*messages))
    assert await polled.poll() == messages[:BATCH]
    assert await polled.poll() == messages[BATCH:]


async def test_one_message_is_enough_to_know_that_there_is_any():
    answers = Answers(Message(), Message())
    assert await consumer(answers).anything(2.0)
    assert (len(answers.messages), answers.waits) == (1, [2.0])
    assert not await consumer(Answers()).anything(2.0)


async def test_a_member_whose_slot_was_taken_learns_of_it_while_it_is_paused():
    with pytest.raises(SlotTaken):
        await consumer(Answers(Failed(KafkaError._FENCED))).anything(0.05)


async def test_a_pause_ends_after_the_position_was_set():
    answers = Answers()
    places = [TopicPartition("payment-events", 3, 17)]
    await consumer(answers).go_on(places)
    assert answers.calls == [("assign", places), ("resume", places)]


async def test_a_static_member_says_that_it_leaves_before_it_closes():
    answers = Answers()
    await consumer(answers).leave()
    assert [name for name, *_ in answers.calls] == ["unsubscribe", "close"]


async def test_who_was_fenced_can_still_be_closed():
    answers = Answers()

    def fenced() -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL))

    answers.unsubscribe = fenced  # type: ignore[method-assign]
    await consumer(answers).leave()
    assert answers.calls == [("close",)]


async def test_offsets_that_do_not_become_stable_are_named(clock: Clock):
    answers = Answers()

    def unstable(partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:  # noqa: ARG001
        clock.now += timeout
        raise KafkaException(KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT))

    answers.committed = unstable
    with pytest.raises(NotReady, match="did not become stable within 20 s"):
        await consumer(answers).committed([], 20.0)


@pytest.mark.parametrize("code", [KafkaError._FATAL, KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID])
async def test_a_second_worker_in_the_slot_is_named(code: int):
    with pytest.raises(SlotTaken, match="slot-0"):
        await consumer(Answers(Failed(code))).poll()


async def test_a_position_that_retention_removed_stops_the_worker():
    with pytest.raises(NotReady, match=r"payment-events\[3\].*recoup rebuild"):
        await consumer(Answers(Failed(KafkaError._AUTO_OFFSET_RESET))).poll()


async def test_an_error_that_passes_takes_no_message_with_it():
    message: Any = Message()
    assert await consumer(Answers(message, Failed(KafkaError._TRANSPORT))).poll() == [message]


async def test_who_has_not_joined_is_told_so():
    thread = consumer(Answers())
    thread._joined = None
    assert not thread.joined
    with pytest.raises(NotReady, match="has not joined group"):
        await thread.commit([])
