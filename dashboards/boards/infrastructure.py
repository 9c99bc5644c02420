"""Infrastructure: workers, providers and disks, for engineers on call."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.colours import BAD, GOOD, JOBS, QUANTILES, WATCH
from dashboards.panels import About, Column, figure, lines, listing
from dashboards.queries import Sql, promql
from dashboards.units import BYTES, CORES, COUNT, PER_SECOND, RATIO, SECONDS, SHARE, WHOLE

RATE: Final = "[$__rate_interval]"
SILENT = ((None, GOOD), (60, WATCH), (300, BAD))
NO_WORKER = ((None, BAD), (1, GOOD))
FREE = ((None, BAD), (0.1, WATCH), (0.2, GOOD))
SLOW = ((None, GOOD), (1, WATCH), (5, BAD))

FIGURES = (
    figure(
        "How many workers answer?",
        promql('sum(up{service="recoup"})'),
        About(
            "Workers whose /metrics Prometheus could read at its last look.",
            "`up` of the scraped workers. Red = none.",
            "docs/runbooks.md#worker-down.",
        ),
        COUNT,
        steps=NO_WORKER,
    ),
    figure(
        "How long was nothing done?",
        promql("time() - min(recoup_last_progress_timestamp_seconds)"),
        About(
            "Seconds since the job that is quietest ended a batch.",
            "`recoup_last_progress_timestamp_seconds`. Quiet hours have nothing to do: look at lag beside it. Amber from"
            " 60 s on, red from 300 s.",
            "With lag: docs/runbooks.md#lag. Without: nothing arrives, look at the producers.",
        ),
        SECONDS,
        steps=SILENT,
        decimals=0,
    ),
    figure(
        "How many rows wait?",
        promql("sum(recoup_rows_waiting)"),
        About(
            "Messages that land workers have read and have not landed.",
            "`recoup_rows_waiting`. At 150,000 a worker takes no more. Amber from 50,000 on.",
            "docs/runbooks.md#landing-stalled.",
        ),
        COUNT,
        steps=((None, GOOD), (50_000, WATCH), (140_000, BAD)),
    ),
    figure(
        "How many providers fail?",
        promql("sum(recoup_provider_breaker_open) or vector(0)"),
        About(
            "Providers that are not asked because they fail.",
            "`recoup_provider_breaker_open` of the dispatch workers. Red from one on.",
            "docs/runbooks.md#provider-down. Contacts wait meanwhile; none is lost.",
        ),
        COUNT,
        steps=((None, GOOD), (1, BAD)),
    ),
    figure(
        "How much is stored?",
        Sql("infrastructure/stored", "table"),
        About(
            "Bytes of all tables on disk, compressed.",
            "`bytes_on_disk` of the active parts in `system.parts`.",
            "See which table grew below; `RECOUP_CLICKHOUSE__TTL_DAYS` limits how long rows stay.",
        ),
        BYTES,
        decimals=1,
    ),
    figure(
        "How much disk is free?",
        Sql("infrastructure/free", "table"),
        About(
            "Free share of the fullest disk of ClickHouse.",
            "`free_space / total_space` of `system.disks`. Red below 10 %.",
            "Inserts stop on a full disk, and lag grows everywhere: make room before that.",
        ),
        SHARE,
        steps=FREE,
        decimals=0,
    ),
)

WORKERS = (
    lines(
        "How much memory do workers use?",
        promql("sum by (job) (process_resident_memory_bytes)", "{{job}}"),
        About(
            "Resident memory of all workers of a job.",
            "`process_resident_memory_bytes`.",
            "It grows for hours without more events: a leak; a restart is safe at any time.",
        ),
        BYTES,
        colours=JOBS,
    ),
    lines(
        "How many cores do workers use?",
        promql(f"sum by (job) (rate(process_cpu_seconds_total{RATE}))", "{{job}}"),
        About(
            "Processor seconds a second, of all workers of a job. 1 = one core.",
            "`rate(process_cpu_seconds_total)`. A worker is one process, and hardly uses more than 1.5 cores.",
            "Near 1 for each worker with lag: start another worker of the job.",
        ),
        CORES,
        colours=JOBS,
        decimals=2,
    ),
    lines(
        "Which step of a batch takes long?",
        promql(
            f"histogram_quantile(0.99, sum by (job, step, le) (rate(recoup_batch_seconds_bucket{RATE})))",
            "{{job}}: {{step}}",
        ),
        About(
            "99 of 100 batches are through each step within this time. The lines are at 1 s and 5 s.",
            "`recoup_batch_seconds` by job and step: read and write are Redis, publish is Kafka, insert is ClickHouse.",
            "The step that is slow names the server to look at.",
        ),
        SECONDS,
        steps=SLOW,
    ),
    lines(
        "How long until an event is decided on?",
        [
            promql(
                f"histogram_quantile(0.5, sum by (le) (rate(recoup_event_to_decision_seconds_bucket{RATE})))",
                "p50",
                "A",
            ),
            promql(
                f"histogram_quantile(0.99, sum by (le) (rate(recoup_event_to_decision_seconds_bucket{RATE})))",
                "p99",
                "B",
            ),
        ],
        About(
            "Half of the events, and 99 of 100, have their decision within this time, as the workers tell."
            " The lines are at 0.5 s and 2 s.",
            "`recoup_event_to_decision_seconds`, from an event's time stamp in Kafka to its published decision.",
            "docs/runbooks.md#lag.",
        ),
        SECONDS,
        colours=QUANTILES,
        steps=((None, GOOD), (0.5, WATCH), (2, BAD)),
    ),
    lines(
        "What do workers get done?",
        promql(f"sum by (job) (rate(recoup_events_total{RATE}))", "{{job}}"),
        About(
            "Events each second, by job.",
            "`rate(recoup_events_total)` over all outcomes.",
            "A job that falls to 0 while others work: docs/runbooks.md#lag.",
        ),
        PER_SECOND,
        colours=JOBS,
    ),
    lines(
        "How many decisions are made?",
        promql(f"sum by (action) (rate(recoup_decisions_total{RATE}))", "{{action}}"),
        About(
            "Decisions each second, by action.",
            "`rate(recoup_decisions_total)`.",
            "None while events come: docs/runbooks.md#no-decisions.",
        ),
        PER_SECOND,
        stacked=True,
    ),
)

OUTSIDE = (
    lines(
        "How do providers answer?",
        promql(f"sum by (provider, answer) (rate(recoup_sends_total{RATE}))", "{{provider}}: {{answer}}"),
        About(
            "Contacts handed to providers each second, by answer.",
            "`rate(recoup_sends_total)`.",
            "Refused: the address or the words. Failed or unknown: docs/runbooks.md#provider-down.",
        ),
        PER_SECOND,
        stacked=True,
    ),
    lines(
        "How long do providers take?",
        promql(
            f"histogram_quantile(0.95, sum by (provider, le) (rate(recoup_send_seconds_bucket{RATE})))", "{{provider}}"
        ),
        About(
            "95 of 100 contacts are answered within this time. The lines are at 1 s and 5 s.",
            "`recoup_send_seconds`.",
            "A slow provider holds up only its own contacts.",
        ),
        SECONDS,
        steps=SLOW,
    ),
    listing(
        "How large is each table?",
        Sql("infrastructure/tables", "table"),
        About(
            "The 30 largest tables of the warehouse.",
            "Active parts of `system.parts`. Many parts: blocks are small, or merges do not keep up.",
            "Over 300 parts in one table: docs/runbooks.md#landing-stalled.",
        ),
        {
            "Rows": Column(WHOLE),
            "On disk": Column(BYTES, 1),
            "Compressed by": Column(RATIO, 1),
            "Parts": Column(WHOLE, steps=((None, "transparent"), (300, WATCH), (1_000, BAD))),
            "Bytes a row": Column(RATIO, 0),
        },
        width=24,
        height=10,
    ),
)

BOARD: Final = Board(
    uid="infrastructure",
    title="Infrastructure",
    says="Workers, providers and disks. For engineers on call; of the whole installation.",
    since="now-6h",
    refresh="30s",
    variables=(),
    rows=(Row("", FIGURES), Row("Workers", WORKERS), Row("Providers and disks", OUTSIDE)),
)
