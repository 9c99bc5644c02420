"""`python -m benchmarks.warehouse`: every dashboard query over fifty million landed rows, and what the views cost.

The database makes the rows itself and lands them with all views on. Then the views that are worked out anew are, every
query of every dashboard is asked several times, and the same blocks land with and without views.
"""

import statistics
import time
from datetime import UTC, datetime
from typing import Any

import click
from clickhouse_connect.driver.client import Client

from benchmarks import ground
from benchmarks.warehouse import landing, questions
from benchmarks.warehouse.world import World, fill
from connectors.clickhouse.aggregates import refreshed
from connectors.clickhouse.client import connect
from connectors.clickhouse.server import Server
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import Name
from models.clock import WallClock
from recoup.stack.scratch import scratch_warehouse

QUIET_SECONDS = 120.0
"""How long merges are waited for before queries are timed."""
TELL_SECONDS = 10.0
FAST_MS, SLOW_MS = 200.0, 1_000.0


def tables(client: Client) -> dict[str, dict[str, int]]:
    """Rows and bytes of every table that holds any."""
    found = client.query(
        "SELECT name, total_rows, total_bytes FROM system.tables WHERE database = currentDatabase() AND total_rows > 0"
        " ORDER BY total_rows DESC"
    ).result_rows
    return {name: {"rows": rows, "bytes": size} for name, rows, size in found}


def refresh(settings: ClickHouseSettings) -> dict[str, float]:
    """Work out anew what is; seconds of each, in the order in which they read one another."""
    server, spent = Server(settings, deadline=1_800), {}
    for name, one in refreshed(server).items():
        began = time.perf_counter()
        for step in ("refresh_view", "wait_view"):
            server.command(step, {"view": Name(one.view)})
        spent[name] = round(time.perf_counter() - began, 2)
        print(f"refreshed {name:28} {spent[name]:8.1f} s", flush=True)
    server.close()
    return spent


def settle(client: Client) -> float:
    """Wait until nothing is merged any more, or long enough; seconds."""
    began = time.perf_counter()
    while time.perf_counter() - began < QUIET_SECONDS:
        if not client.query("SELECT count() FROM system.merges").result_rows[0][0]:
            break
        time.sleep(0.5)
    return round(time.perf_counter() - began, 1)


def summary(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    """How many are fast enough, and which are not."""
    medians = [one["p50_ms"] for one in found.values()]
    return {
        "queries": len(medians),
        "under_200_ms": sum(median < FAST_MS for median in medians),
        "under_1_s": sum(median < SLOW_MS for median in medians),
        "median_ms": round(statistics.median(medians), 1),
        "slowest_ms": max(medians),
        "over_200_ms": {name: one["p50_ms"] for name, one in found.items() if one["p50_ms"] >= FAST_MS},
        "empty": sorted(name for name, one in found.items() if not one["rows"]),
    }


@click.command(epilog="Example: python -m benchmarks.warehouse --rows 2000000")
@click.option("--rows", default=50_000_000, show_default=True, help="Landed rows, in all tables together.")
@click.option("--runs", default=5, show_default=True, help="Times that each query is asked.")
@click.option("--rounds", default=3, show_default=True, help="Times that blocks land with and without views.")
@click.option("--keep/--no-keep", default=True, show_default=True, help="Write the results down.")
def main(rows: int, runs: int, rounds: int, keep: bool) -> None:  # noqa: FBT001 - an option
    """Fill, refresh, ask and land; print and keep what it took."""
    with scratch_warehouse() as settings, connect(settings, answer_seconds=1_800) as client:
        now = WallClock().now()
        world, told = World.of(rows, now), [0.0]

        def tell(done: int, seconds: float) -> None:
            if seconds > told[0] + TELL_SECONDS or done == world.invoices:
                told[0] = seconds
                print(f"filling {done / world.invoices:4.0%}  {seconds:6.0f} s", flush=True)

        # What is worked out anew every few minutes is worked out once, when all rows are there.
        client.command("SYSTEM STOP VIEWS")
        spent = fill(client, world, tell)
        client.command("SYSTEM START VIEWS")
        took = refresh(settings)
        client.command("SYSTEM STOP VIEWS")
        held = tables(client)
        waited = settle(client)
        when = datetime.fromtimestamp(now / 1000, UTC)
        asked = questions.timed(client, questions.of_dashboards(client, when), runs, _told)
        base = questions.timed(client, questions.of_landed(client), runs, _told)
        blocks = landing.ready_blocks(client, now)
        cost = landing.measured(landing.Landing(settings, blocks), rounds, lambda text: print(text, flush=True))
    landed = sum(one["rows"] for name, one in held.items() if name in spent)
    results = {
        "rows": landed,
        "filling_seconds": spent,
        "refresh_seconds": took,
        "waited_for_merges_seconds": waited,
        "tables": held,
        "dashboards": summary(asked),
        "dashboard_queries": asked,
        "landed_tables": base,
        "landing": cost,
    }
    print(f"{landed:,} rows; dashboards: {results['dashboards']}")
    if keep:
        ground.keep("warehouse", results)


def _told(name: str, milliseconds: float) -> None:
    print(f"{milliseconds:9.1f} ms  {name}", flush=True)


if __name__ == "__main__":
    main()
