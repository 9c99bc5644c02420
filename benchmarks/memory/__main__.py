"""`python -m benchmarks.memory`: a decide worker's memory over two million events, and what Redis holds of an account.

The simulator's stream, duplicates and bad messages included, comes as fast as the worker takes it. A worker holds the
states of two batches, in several forms each, so its memory follows the size of a state; both are told side by side.
"""

import threading
from itertools import islice
from typing import Any

import click
import redis

from benchmarks import ground
from recoup.settings import Settings
from recoup.simulator.stream import Ready, events
from schemas.registry import SOURCE_TOPICS, topic_named

SLICE = 100_000
SAMPLE = 100
"""States of each partition."""
PARTITIONS = range(topic_named(SOURCE_TOPICS[0]).partitions)


def handled(settings: Settings) -> int:
    """How many messages decide has finished, by its own count."""
    with redis.Redis.from_url(settings.redis.url) as client:
        pipeline = client.pipeline(transaction=False)
        for partition in PARTITIONS:
            pipeline.hgetall(f"{settings.redis.prefix}:{{decide:{partition}}}:progress")
        return sum(int(v) for fields in pipeline.execute() for field, v in fields.items() if field.startswith(b"n:"))


def state_bytes(settings: Settings) -> int:
    """The mean size of a state, by a sample."""
    with redis.Redis.from_url(settings.redis.url) as client:
        sizes = [
            len(blob)
            for partition in PARTITIONS
            for blob in client.hrandfield(
                f"{settings.redis.prefix}:{{decide:{partition}}}:states", SAMPLE, withvalues=True
            )[1::2]
        ]
    return round(sum(sizes) / max(1, len(sizes)))


def redis_holds(settings: Settings) -> dict[str, int]:
    """Accounts, the bytes of their states, and Redis's own memory for each of them."""
    with redis.Redis.from_url(settings.redis.url) as client:
        names = [f"{settings.redis.prefix}:{{decide:{partition}}}:" for partition in PARTITIONS]
        accounts = sum(int(client.hlen(name + "states")) for name in names)
        blobs = sum(len(blob) for name in names for blob in client.hvals(name + "states"))
        kept = [
            int(client.memory_usage(name + what, samples=0) or 0) for name in names for what in ("states", "reviews")
        ]
        return {
            "accounts": accounts,
            "state_bytes_per_account": round(blobs / accounts),
            "redis_bytes_per_account": round(sum(kept) / accounts),
        }


@click.command(epilog="Example: python -m benchmarks.memory --events 2000000")
@click.option("--events", "number", default=2_000_000, show_default=True, help="Messages sent.")
@click.option("--accounts", default=20_000, show_default=True, help="Accounts of the portfolio.")
def main(number: int, accounts: int) -> None:
    """Measure and print the memory at every hundred thousand messages."""
    stream = events(3, accounts, number)
    seen: list[dict[str, Any]] = []
    with ground.stack() as (settings, _), ground.worker(settings, "decide") as worker:
        sent = 0
        ahead: list[Ready] = list(islice(stream, SLICE))
        while ahead:
            ground.send(settings.kafka, ahead)
            sent += len(ahead)
            making = Making(stream)
            ground.reach(lambda sent=sent: handled(settings), sent, worker)  # type: ignore[misc]
            megabytes, mean = round(worker.memory_info().rss / 1e6, 1), state_bytes(settings)
            seen.append({"messages": sent, "worker_mb": megabytes, "state_bytes": mean})
            print(f"{sent:10,} messages  {megabytes:8.1f} MB  {mean:6,} bytes a state", flush=True)
            ahead = making.result()
        holds = redis_holds(settings)
    half = seen[len(seen) // 2]["worker_mb"]
    growth = round(seen[-1]["worker_mb"] - half, 1)
    print(f"second half of the run: {growth:+.1f} MB; {holds}")
    ground.keep("memory", {"second_half_growth_mb": growth, "redis": holds, "worker": seen})


class Making:
    """The next slice of the stream, made while the worker is busy with the last one."""

    def __init__(self, stream: Any) -> None:
        self._slice: list[Ready] = []
        self._thread = threading.Thread(target=lambda: self._slice.extend(islice(stream, SLICE)))
        self._thread.start()

    def result(self) -> list[Ready]:
        """It, when it is ready."""
        self._thread.join()
        return self._slice


if __name__ == "__main__":
    main()
