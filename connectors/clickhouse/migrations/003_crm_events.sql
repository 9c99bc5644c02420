-- What is known of a customer and may change: parties, debts, consents, disputes, holds.
CREATE TABLE IF NOT EXISTS crm_events
(
    event_id String,
    type LowCardinality(String),
    tenant_id LowCardinality(String),
    account_id String,
    occurred_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    schema_version Nullable(Int64),
    history Bool,
    debt_id String,
    invoice_id String,
    dispute_id String,
    hold_id String,
    party_id String,
    contact_point_id String,
    segment LowCardinality(String),
    language LowCardinality(String),
    country LowCardinality(String),
    state LowCardinality(String),
    collector_role LowCardinality(String),
    debt_class LowCardinality(String),
    role LowCardinality(String),
    channel LowCardinality(String),
    scope LowCardinality(String),
    kind LowCardinality(String),
    outcome LowCardinality(String),
    result LowCardinality(String),
    reason String,
    currency LowCardinality(String),
    amount_minor Nullable(Int64),
    `until` Nullable(DateTime64(3, 'UTC')),
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
