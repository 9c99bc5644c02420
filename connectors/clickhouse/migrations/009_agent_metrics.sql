-- How each worker does.
CREATE TABLE IF NOT EXISTS agent_metrics
(
    event_id String,
    type LowCardinality(String),
    tenant_id LowCardinality(String),
    account_id String,
    occurred_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    schema_version Nullable(Int64),
    history Bool,
    job LowCardinality(String),
    slot Nullable(Int64),
    partitions Nullable(Int64),
    events Nullable(Int64),
    applied Nullable(Int64),
    dropped Nullable(Int64),
    dead_lettered Nullable(Int64),
    scores Nullable(Int64),
    decisions Nullable(Int64),
    contacts Nullable(Int64),
    rows Nullable(Int64),
    batches Nullable(Int64),
    lag Nullable(Int64),
    memory_bytes Nullable(Int64),
    seconds Nullable(Float64),
    batch_ms_p50 Nullable(Float64),
    batch_ms_p99 Nullable(Float64),
    event_to_result_ms_p50 Nullable(Float64),
    event_to_result_ms_p99 Nullable(Float64),
    cpu_seconds Nullable(Float64),
    payload String,
    -- 0: the message breaks its topic's contract and has no values, only its bytes in `payload`; `refusal` says why.
    valid Bool,
    refusal LowCardinality(String),
    _key String,
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _block LowCardinality(String),
    _block_at DateTime64(3, 'UTC'),
    _arrived_at DateTime64(3, 'UTC'),
    -- How far each partition has landed, and its last block: read on every take-over.
    PROJECTION mark
    (
        SELECT _topic, _partition, count(), max(_offset), argMax(_block, _offset), argMax(_block_at, _offset)
        GROUP BY _topic, _partition
    )
)
ENGINE = MergeTree
-- A block has one `_block_at`, so it is one part and lands whole or not at all.
PARTITION BY toYYYYMM(_block_at)
ORDER BY (tenant_id, account_id, occurred_at, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000, lightweight_mutation_projection_mode = 'rebuild';
