-- How the pipeline does: rows by minute and topic, workers by minute, dead letters by hour. Minutes and hours are UTC.

-- Order key: dashboards ask for a time first, and for all topics of it.
CREATE TABLE IF NOT EXISTS pipeline_minutes_states
(
    minute DateTime('UTC') COMMENT 'Minute in which the blocks of the rows were closed, UTC.',
    topic LowCardinality(String) COMMENT 'Topic.',
    rows SimpleAggregateFunction(sum, UInt64) COMMENT 'Rows.',
    refused SimpleAggregateFunction(sum, UInt64) COMMENT 'Rows whose message breaks the contract.',
    bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Bytes of the messages.',
    late SimpleAggregateFunction(sum, UInt64) COMMENT 'Rows that landed over an hour after they arrived.',
    to_row_ms AggregateFunction(quantilesDDIf(0.01, 0.5, 0.99), Float64, UInt8) COMMENT 'Milliseconds from arrival in Kafka to the block, of the other rows.'
)
ENGINE = AggregatingMergeTree
ORDER BY (minute, topic)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums that pipeline_minutes is read from. One or more rows a key, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_payment_events TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM payment_events
GROUP BY minute, topic
COMMENT 'Counts what lands in payment_events.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_crm_events TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM crm_events
GROUP BY minute, topic
COMMENT 'Counts what lands in crm_events.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_interaction_events TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM interaction_events
GROUP BY minute, topic
COMMENT 'Counts what lands in interaction_events.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_propensity_scores TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM propensity_scores
GROUP BY minute, topic
COMMENT 'Counts what lands in propensity_scores.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_next_best_actions TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM next_best_actions
GROUP BY minute, topic
COMMENT 'Counts what lands in next_best_actions.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_contact_requests TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM contact_requests
GROUP BY minute, topic
COMMENT 'Counts what lands in contact_requests.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_customer_events TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM customer_events
GROUP BY minute, topic
COMMENT 'Counts what lands in customer_events.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_ledger_postings TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM ledger_postings
GROUP BY minute, topic
COMMENT 'Counts what lands in ledger_postings.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_agent_metrics TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM agent_metrics
GROUP BY minute, topic
COMMENT 'Counts what lands in agent_metrics.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_audit_logs TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM audit_logs
GROUP BY minute, topic
COMMENT 'Counts what lands in audit_logs.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_tenants TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM tenants
GROUP BY minute, topic
COMMENT 'Counts what lands in tenants.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_templates TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM templates
GROUP BY minute, topic
COMMENT 'Counts what lands in templates.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_model_releases TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM model_releases
GROUP BY minute, topic
COMMENT 'Counts what lands in model_releases.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_policy_releases TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM policy_releases
GROUP BY minute, topic
COMMENT 'Counts what lands in policy_releases.';

CREATE MATERIALIZED VIEW IF NOT EXISTS pipeline_minutes_from_dead_letters TO pipeline_minutes_states AS
SELECT
    toStartOfMinute(toDateTime(_block_at, 'UTC')) AS minute,
    _topic AS topic,
    count() AS rows,
    countIf(NOT valid) AS refused,
    sum(length(payload)) AS bytes,
    countIf(_block_at > _arrived_at + INTERVAL 1 HOUR) AS late,
    quantilesDDIfState(0.01, 0.5, 0.99)(toFloat64(greatest(date_diff('millisecond', _arrived_at, _block_at), 0)), _block_at <= _arrived_at + INTERVAL 1 HOUR) AS to_row_ms
FROM dead_letters
GROUP BY minute, topic
COMMENT 'Counts what lands in dead_letters.';

CREATE VIEW IF NOT EXISTS pipeline_minutes
(
    topic LowCardinality(String) COMMENT 'Topic.',
    minute DateTime('UTC') COMMENT 'Minute in which the rows became a block, UTC.',
    rows UInt64 COMMENT 'Messages that became rows.',
    refused UInt64 COMMENT 'Of them, rows without values, because their message breaks the contract of its topic.',
    to_row_ms_p50 Nullable(Float64) COMMENT 'Median of the milliseconds from the arrival of a message in Kafka to the block that landed it, to 1 %; the insert itself, some tens of milliseconds, comes on top. Rows that landed over an hour after they arrived (a backfill) are left out; null without others.',
    to_row_ms_p99 Nullable(Float64) COMMENT 'The same, 99 in 100 were faster.',
    bytes UInt64 COMMENT 'Bytes of the messages, uncompressed and without keys and headers.',
    backfilled UInt64 COMMENT 'Of the rows, those that landed over an hour after they arrived.'
)
AS SELECT
    topic,
    minute,
    sum(states.rows) AS rows,
    sum(states.refused) AS refused,
    if(rows > backfilled, quantilesDDIfMerge(0.01, 0.5, 0.99)(states.to_row_ms)[1], NULL) AS to_row_ms_p50,
    if(rows > backfilled, quantilesDDIfMerge(0.01, 0.5, 0.99)(states.to_row_ms)[2], NULL) AS to_row_ms_p99,
    sum(states.bytes) AS bytes,
    sum(states.late) AS backfilled
FROM pipeline_minutes_states AS states
GROUP BY topic, minute
COMMENT 'What lands, by minute and topic: how much and how fast. It is of the whole installation and names no tenant.';

-- Some ten thousand rows a day, in the order of time: asked as they are.
CREATE VIEW IF NOT EXISTS workers_minutes
(
    job LowCardinality(String) COMMENT 'decide, dispatch or land.',
    slot Int64 COMMENT 'Which of the workers of the job.',
    minute DateTime('UTC') COMMENT 'Minute in which the worker told of its last seconds, UTC.',
    seconds Float64 COMMENT 'Seconds that it tells of.',
    partitions Int64 COMMENT 'Partitions that it held, the most of the minute.',
    events Int64 COMMENT 'Messages that it took up.',
    applied Int64 COMMENT 'Of them, those that had an effect: folded into a state, sent, or landed.',
    dropped Int64 COMMENT 'Of them, repetitions and others that change nothing.',
    dead_lettered Int64 COMMENT 'Of them, those refused into a dead-letter topic.',
    rows Int64 COMMENT 'Rows that it landed.',
    scores Int64 COMMENT 'Accounts that it scored.',
    decisions Int64 COMMENT 'Decisions that it published.',
    contacts Int64 COMMENT 'Contacts that it decided on, or sent.',
    lag Int64 COMMENT 'Messages in its partitions that it had not read, when it last told in the minute.',
    to_result_ms_p50 Nullable(Float64) COMMENT 'Milliseconds from the arrival of an event in Kafka to its decision or row: mean of the medians that the worker told, weighted by events; null without events.',
    to_result_ms_p99 Nullable(Float64) COMMENT 'The worst of the 99 % quantiles that it told; null without events.',
    memory_bytes Int64 COMMENT 'Resident memory, the most of the minute.',
    cpu_seconds Float64 COMMENT 'Processor seconds that it used; divided by seconds, the cores.'
)
AS SELECT
    job,
    ifNull(metrics.slot, 0) AS slot,
    toStartOfMinute(toDateTime(occurred_at, 'UTC')) AS minute,
    sum(ifNull(metrics.seconds, 0)) AS seconds,
    max(ifNull(metrics.partitions, 0)) AS partitions,
    sum(ifNull(metrics.events, 0)) AS events,
    sum(ifNull(metrics.applied, 0)) AS applied,
    sum(ifNull(metrics.dropped, 0)) AS dropped,
    sum(ifNull(metrics.dead_lettered, 0)) AS dead_lettered,
    sum(ifNull(metrics.rows, 0)) AS rows,
    sum(ifNull(metrics.scores, 0)) AS scores,
    sum(ifNull(metrics.decisions, 0)) AS decisions,
    sum(ifNull(metrics.contacts, 0)) AS contacts,
    argMax(ifNull(metrics.lag, 0), occurred_at) AS lag,
    sumIf(ifNull(event_to_result_ms_p50 * metrics.events, 0), event_to_result_ms_p50 IS NOT NULL)
        / nullIf(sumIf(ifNull(metrics.events, 0), event_to_result_ms_p50 IS NOT NULL), 0) AS to_result_ms_p50,
    max(event_to_result_ms_p99) AS to_result_ms_p99,
    max(ifNull(metrics.memory_bytes, 0)) AS memory_bytes,
    sum(ifNull(metrics.cpu_seconds, 0)) AS cpu_seconds
FROM agent_metrics AS metrics
WHERE tenant_id = '' AND account_id = '' AND valid
GROUP BY job, slot, minute
COMMENT 'What each worker did, by minute, as it tells itself every ten seconds.';

-- Order key: dashboards ask for a time, and for one tenant or all.
CREATE TABLE IF NOT EXISTS dead_letters_hourly_states
(
    hour DateTime('UTC') COMMENT 'Hour, UTC.',
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    source_topic LowCardinality(String) COMMENT 'Topic.',
    reason LowCardinality(String) COMMENT 'Reason.',
    letters SimpleAggregateFunction(sum, UInt64) COMMENT 'Dead letters.'
)
ENGINE = AggregatingMergeTree
ORDER BY (hour, tenant_id, source_topic, reason)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums that dead_letters_hourly is read from. One or more rows a key, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS dead_letters_hourly_from_dead_letters TO dead_letters_hourly_states AS
SELECT
    toStartOfHour(toDateTime(_arrived_at, 'UTC')) AS hour,
    tenant_id,
    source_topic,
    reason,
    count() AS letters
FROM dead_letters
WHERE valid
GROUP BY hour, tenant_id, source_topic, reason
COMMENT 'Counts dead letters by reason.';

CREATE VIEW IF NOT EXISTS dead_letters_hourly
(
    tenant_id LowCardinality(String) COMMENT 'Tenant as the key of the message names it; empty = it names none.',
    hour DateTime('UTC') COMMENT 'Hour in which the message was refused, UTC.',
    source_topic LowCardinality(String) COMMENT 'Topic that it was refused from.',
    reason LowCardinality(String) COMMENT 'Why, such as unknown_type or missing_field.',
    letters UInt64 COMMENT 'Dead letters. A message that is replayed and refused again counts again.'
)
AS SELECT
    tenant_id,
    hour,
    source_topic,
    reason,
    sum(states.letters) AS letters
FROM dead_letters_hourly_states AS states
GROUP BY tenant_id, hour, source_topic, reason
COMMENT 'Messages that were refused, by hour and reason.';
