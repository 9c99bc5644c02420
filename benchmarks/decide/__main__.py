"""`python -m benchmarks.decide`: the three contestants one after the other, on one local stack, over the same events.

(a) our decide worker; (b) a hand-written confluent-kafka loop around the same core with the same guarantee;
(c) the same logic as a plain Faust agent, one event at a time, without the guarantee. CPU is that of the process.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import redis
from confluent_kafka.admin import AdminClient

from connectors.kafka import clients, topics
from recoup.settings import Settings
from recoup.simulator.stream import Shares, events
from recoup.stack.provision import provision
from recoup.stack.stack import Stack

EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
EVENTS_PER_EVENT_AGENT = int(os.environ.get("BENCH_EVENTS_FAUST", "20000"))
RESULTS = Path(__file__).parents[1] / "results" / "decide.json"
GOOD = Shares(bad=0.0, duplicate=0.0, late=0.0)


def fill(settings: Settings, number: int) -> None:
    """Empty topics and Redis, and so many fresh events over half as many accounts a batch."""
    admin: AdminClient = clients.admin(settings.kafka)
    names = [one.name for one in topics.wanted() if one.name != "tenants"]
    for future in admin.delete_topics(names).values():
        future.result()
    deadline = time.monotonic() + 30
    while set(names) & set(admin.list_topics(timeout=10).topics):
        if time.monotonic() > deadline:
            raise TimeoutError("the topics were not deleted")
        time.sleep(0.1)
    for group in ("recoup-decide", "bench-loop", "bench-faust"):
        try:
            admin.delete_consumer_groups([group])[group].result()
        except Exception as error:  # noqa: BLE001 - there is none before the first run
            print(f"  ({group}: {error.args[0].name()})")
    topics.apply(settings.kafka)
    redis.Redis.from_url(settings.redis.url).flushall()
    producer = clients.producer(settings.kafka)
    for topic, key, value in events(7, 20_000, number, shares=GOOD):
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


def measure(name: str, command: list[str], settings: Settings, number: int, log: Path) -> dict[str, float]:
    """Run one contestant until it has committed everything; wall and CPU from its first batch to its last."""
    fill(settings, number)
    environment = {**os.environ, "RECOUP_HOME": str(settings.home), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        child = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    process = psutil.Process(child.pid)
    began = cpu = 0.0
    try:
        while (seen := consumed(settings, name)) < number:
            now, used = time.perf_counter(), sum(process.cpu_times()[:2])
            if seen == 0 or not began:
                began, cpu, first = now, used, seen
            if child.poll() is not None:
                raise RuntimeError(log.read_text()[-2000:])
            time.sleep(0.05)
        wall, spent = time.perf_counter() - began, sum(process.cpu_times()[:2]) - cpu
    finally:
        child.terminate()
        child.wait(30)
    done = number - first
    return {"events": done, "events_per_second": done / wall, "cpu_us_per_event": spent / done * 1e6}


def consumed(settings: Settings, name: str) -> int:
    """How many events a contestant has finished, by its own count in Redis."""
    client = redis.Redis.from_url(settings.redis.url)
    if name == "faust":
        return int(client.get("bench:faust") or 0)
    pipeline = client.pipeline(transaction=False)
    for partition in range(8):
        pipeline.hgetall(f"{settings.redis.prefix}:{{decide:{partition}}}:progress")
    return sum(int(v) for fields in pipeline.execute() for name, v in fields.items() if name.startswith(b"n:"))


def main() -> None:
    """Run all three and print them side by side."""
    with tempfile.TemporaryDirectory(prefix="bench-decide-") as folder:
        home = Path(folder)
        stack = Stack(home, Settings(home=home))
        stack.up()
        try:
            settings = Settings(home=home)
            provision(settings)
            here = [sys.executable, "-m"]
            contestants = {
                "decide": ([*here, "recoup.cli.main", "worker", "decide", "--log-level", "warning"], EVENTS),
                "loop": ([*here, "benchmarks.decide.loop"], EVENTS),
                "faust": ([*here, "benchmarks.decide.faust_agent"], EVENTS_PER_EVENT_AGENT),
            }
            results = {}
            for name, (command, number) in contestants.items():
                results[name] = measure(name, command, settings, number, home / f"{name}.log")
                print(
                    f"{name:8} {results[name]['events_per_second']:10,.0f} events/s"
                    f" {results[name]['cpu_us_per_event']:8.1f} us CPU per event"
                )
        finally:
            stack.down(wipe=True)
    speed = {name: result["events_per_second"] for name, result in results.items()}
    results["ratios"] = {"to_loop": speed["decide"] / speed["loop"], "to_faust": speed["decide"] / speed["faust"]}
    print(json.dumps(results["ratios"]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
