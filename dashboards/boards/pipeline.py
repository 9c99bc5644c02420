"""Pipeline health: does everything arrive, how late, and what is refused."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.colours import BAD, FAINT, GOOD, JOBS, QUANTILES, WATCH
from dashboards.panels import About, Column, figure, lines, listing
from dashboards.queries import Sql, promql
from dashboards.units import BYTES, COUNT, MILLISECONDS, PER_SECOND, SECONDS, SHARE, WHOLE

MINUTE: Final = "1m"
TO_ROW = "`to_row_ms_p99` of `pipeline_minutes`: to the block that landed it; backfills are left out"
TO_DECISION = (
    "`to_result_ms_p99` of `workers_minutes`, job decide: from the event's time stamp in Kafka to its decision"
)
LATE_ROW = ((None, GOOD), (3_000, WATCH), (6_000, BAD))
LATE_DECISION = ((None, GOOD), (500, WATCH), (2_000, BAD))
LAG = ((None, GOOD), (30, WATCH), (120, BAD))
REFUSED = ((None, GOOD), (0.01, WATCH), (0.05, BAD))
ANY_LETTER = ((None, GOOD), (1, WATCH), (1_000, BAD))

FIGURES = (
    figure(
        "How far behind are workers?",
        promql("max(recoup_lag_seconds)"),
        About(
            "How long the oldest message that a worker has read waits to be dealt with; of the worker that is worst.",
            "`recoup_lag_seconds` of each worker, worked out when it is asked. Amber from 30 s, red from 120 s on.",
            "docs/runbooks.md#lag: is a server away, or is there more than the workers can do?",
        ),
        SECONDS,
        steps=LAG,
        decimals=1,
    ),
    figure(
        "How fast does it go?",
        Sql("pipeline/rows"),
        About(
            "Messages that became rows each second, all topics.",
            "`rows` of `pipeline_minutes`.",
            "0 while events come: docs/runbooks.md#landing-stalled.",
        ),
        PER_SECOND,
        decimals=0,
        interval=MINUTE,
        calc="max",
    ),
    figure(
        "How late is a decision (p99)?",
        Sql("pipeline/to_decision"),
        About(
            "99 of 100 events have their decision within this time; the worst minute of the last interval.",
            f"{TO_DECISION}. Amber from 0.5 s, red from 2 s on.",
            "docs/runbooks.md#lag. *Infrastructure* shows which step of a batch takes long.",
        ),
        MILLISECONDS,
        steps=LATE_DECISION,
        decimals=0,
        interval=MINUTE,
    ),
    figure(
        "How late is a row (p99)?",
        Sql("pipeline/to_row"),
        About(
            "99 of 100 messages are in the warehouse within this time; the worst topic.",
            f"{TO_ROW}. Amber from 3 s, red from 6 s on: a block collects what sources send for 0.5 s, other topics for 2 s.",
            "docs/runbooks.md#landing-stalled. ClickHouse merges or its disk are slow.",
        ),
        MILLISECONDS,
        steps=LATE_ROW,
        decimals=0,
        interval=MINUTE,
    ),
    figure(
        "What share is refused?",
        Sql("pipeline/refused_share"),
        About(
            "Events that the decide job refused into a dead-letter topic, of all that it took up.",
            "`dead_lettered / events` of `workers_minutes`. Amber from 1 %, red from 5 % on.",
            "docs/runbooks.md#dead-letters: one producer with a new format is the usual cause.",
        ),
        SHARE,
        steps=REFUSED,
        decimals=2,
        interval=MINUTE,
    ),
    figure(
        "How many dead letters?",
        Sql("pipeline/letters"),
        About(
            "Messages that were refused in the chosen time.",
            "`letters` of `dead_letters_hourly`. One that is replayed and refused again counts again. Amber from"
            " one on, red from 1,000.",
            "`recoup dlq list` shows them, `recoup dlq replay` sends them again when their cause is mended.",
        ),
        COUNT,
        steps=ANY_LETTER,
        calc="sum",
    ),
)

FLOW = (
    lines(
        "How many messages land each second?",
        Sql("pipeline/rows_by_topic"),
        About(
            "Messages that became rows each second, by topic; the seven with the most by name.",
            "`rows` of `pipeline_minutes`, by the minute of their block.",
            "A topic that falls to 0 while others flow: its producer stopped, or its blocks cannot be landed.",
        ),
        PER_SECOND,
        label="of",
        stacked=True,
        interval=MINUTE,
    ),
    lines(
        "What becomes of events?",
        Sql("pipeline/handled"),
        About(
            "Events each second at the decide job: applied, dropped (repetitions, tenants that are not live), refused.",
            "`applied`, `dropped` and `dead_lettered` of `workers_minutes`.",
            "Much dropped after a restart of a producer is repetition and harmless. Refused is not: see dead letters.",
        ),
        PER_SECOND,
        stacked=True,
        colours={"applied": GOOD, "dropped": FAINT, "refused": BAD},
        interval=MINUTE,
    ),
    lines(
        "How long until an event is decided on?",
        Sql("pipeline/to_decision_quantiles"),
        About(
            "Half of the events, and 99 of 100, have their decision within this time. The lines are at 0.5 and 2 s.",
            f"{TO_DECISION}.",
            "docs/runbooks.md#lag.",
        ),
        MILLISECONDS,
        colours=QUANTILES,
        steps=LATE_DECISION,
        interval=MINUTE,
    ),
    lines(
        "How long until a message is a row?",
        Sql("pipeline/to_row_quantiles"),
        About(
            "Half of the messages, and 99 of 100 of the worst topic, are in the warehouse within this time.",
            f"{TO_ROW}. The lines are at 3 and 6 s.",
            "docs/runbooks.md#landing-stalled.",
        ),
        MILLISECONDS,
        colours=QUANTILES,
        steps=LATE_ROW,
        interval=MINUTE,
    ),
    lines(
        "How many messages wait?",
        Sql("pipeline/waiting"),
        About(
            "Messages in a worker's partitions that it has not read, of the worker with the most, by job.",
            "`lag` of `workers_minutes`.",
            "It grows and does not fall again: more events than the workers can do. Start another worker.",
        ),
        COUNT,
        label="job",
        colours=JOBS,
        interval=MINUTE,
    ),
    lines(
        "How long does the oldest message wait?",
        promql("max by (job) (recoup_lag_seconds)", "{{job}}"),
        About(
            "Lag in seconds by job, of the worker that is worst. The lines are at 30 s and 120 s, where alerts begin.",
            "`recoup_lag_seconds`: since when the oldest message that a worker has read waits.",
            "docs/runbooks.md#lag.",
        ),
        SECONDS,
        colours=JOBS,
        steps=LAG,
    ),
)

REFUSALS = (
    lines(
        "Why are messages refused?",
        Sql("pipeline/letters_by_reason"),
        About(
            "Dead letters of each hour by reason; the seven that refuse most by name.",
            "`letters` of `dead_letters_hourly`.",
            "missing_field or wrong_field: a producer changed its format. unknown_tenant: `recoup tenants apply`.",
        ),
        COUNT,
        label="why",
        bars=True,
        interval="1h",
    ),
    listing(
        "Whose messages are refused?",
        Sql("pipeline/letters_listed", "table"),
        About(
            "Dead letters of the chosen time by tenant, topic and reason.",
            "`dead_letters_hourly`. No tenant: the message's key names none.",
            "`recoup dlq show` prints a letter and what is wrong with it.",
        ),
        {"Letters": Column(WHOLE, steps=ANY_LETTER), "Last hour": Column("dateTimeAsIso")},
    ),
    listing(
        "Does every topic land?",
        Sql("pipeline/topics", "table"),
        About(
            "A row for each topic that landed something in the chosen time.",
            "`pipeline_minutes`. Without values = a message that breaks its contract; only its bytes are kept.",
            "A topic that is missing here landed nothing: is anything in it (`recoup topics`)?",
        ),
        {
            "Rows": Column(WHOLE),
            "Without values": Column(WHOLE, steps=((None, "transparent"), (1, WATCH))),
            "Bytes": Column(BYTES, 1),
            "Last row": Column("dateTimeAsIso"),
            "Worst p99": Column(MILLISECONDS, 0, LATE_ROW),
        },
        width=24,
        height=10,
    ),
)

BOARD: Final = Board(
    uid="pipeline",
    title="Pipeline health",
    says="Does everything arrive, how late, and what is refused. For engineers on call; of the whole installation.",
    since="now-6h",
    refresh="30s",
    variables=(),
    rows=(Row("", FIGURES), Row("How it flows", FLOW), Row("What is refused", REFUSALS)),
)
