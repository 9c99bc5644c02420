"""A decide worker that dies at one chosen await: `python -m tests.chaos.cut_worker CUT NTH SIGNAL SLOT`.

The worker is the real one; only the named call is wrapped, and the n-th time it is reached the process sends itself the
signal, before or after the call.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from confluent_kafka import Producer

from connectors.kafka import clients
from connectors.redis.ledger import Ledger

LEDGER_CUTS = ("before_claim", "after_claim", "before_read", "after_read", "before_write", "after_write")
PRODUCER_CUTS = (
    "before_begin_transaction",
    "after_begin_transaction",
    "after_produce",
    "before_send_offsets_to_transaction",
    "after_send_offsets_to_transaction",
    "before_commit_transaction",
    "after_commit_transaction",
)
CUTS = LEDGER_CUTS + PRODUCER_CUTS


class Blade:
    """Sends the signal to its own process the n-th time that it is passed."""

    def __init__(self, nth: int, sent: signal.Signals) -> None:
        self.passes = count(1)
        self.nth = nth
        self.sent = sent

    def __call__(self) -> None:
        if next(self.passes) == self.nth:
            os.kill(os.getpid(), self.sent)


def cut_ledger(cut: str, blade: Blade) -> None:
    when, _, name = cut.partition("_")
    whole = getattr(Ledger, name)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            blade()
        answer = await whole(*args, **kwargs)
        if when == "after":
            blade()
        return answer

    setattr(Ledger, name, wrapped)


class CutProducer:
    """A producer whose one method is wrapped."""

    def __init__(self, producer: Producer, cut: str, blade: Blade) -> None:
        self.producer = producer
        self.when, _, self.name = cut.partition("_")
        self.blade = blade

    def __getattr__(self, name: str) -> Any:
        whole: Callable[..., Any] = getattr(self.producer, name)
        if name != self.name:
            return whole

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if self.when == "before":
                self.blade()
            answer = whole(*args, **kwargs)
            if self.when == "after":
                self.blade()
            return answer

        return wrapped


def main() -> None:
    from recoup.settings import Settings
    from recoup.worker import run
    from streams.decide import agent

    cut, nth, sent, slot = sys.argv[1:]
    blade = Blade(int(nth), signal.Signals[sent])
    if cut in LEDGER_CUTS:
        cut_ledger(cut, blade)
    else:
        build: Callable[..., Producer] = clients.transactional_producer
        clients.transactional_producer = lambda *a, **k: CutProducer(build(*a, **k), cut, blade)  # type: ignore[assignment]
    run(agent.build, job="decide", slot=int(slot), web_port=0, log_level="info", settings=Settings())


if __name__ == "__main__":
    main()
