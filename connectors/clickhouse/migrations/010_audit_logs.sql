-- Who did or decided what; hash-chained.
CREATE TABLE IF NOT EXISTS audit_logs
(
    event_id String,
    type LowCardinality(String),
    tenant_id LowCardinality(String),
    account_id String,
    occurred_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    schema_version Nullable(Int64),
    history Bool,
    action LowCardinality(String),
    actor LowCardinality(String),
    subject String,
    previous String,
    hash String,
    sequence Nullable(Int64),
    -- Computed when it is read.
    details Map(String, String) ALIAS JSONExtract(payload, 'details', 'Map(String, String)'),
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
