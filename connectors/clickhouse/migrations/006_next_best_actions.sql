-- Decisions: what was chosen, out of what, and how likely each choice was.
CREATE TABLE IF NOT EXISTS next_best_actions
(
    event_id String,
    type LowCardinality(String),
    tenant_id LowCardinality(String),
    account_id String,
    occurred_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    schema_version Nullable(Int64),
    history Bool,
    decision_id String,
    contact_id String,
    `trigger` LowCardinality(String),
    action LowCardinality(String),
    channel LowCardinality(String),
    template LowCardinality(String),
    step LowCardinality(String),
    purpose LowCardinality(String),
    policy LowCardinality(String),
    model LowCardinality(String),
    arm LowCardinality(String),
    decision_no Nullable(Int64),
    score Nullable(Float64),
    review_at Nullable(DateTime64(3, 'UTC')),
    invoice_ids Array(String),
    reasons Array(String),
    -- The whole set that was looked at. Computed when it is read.
    actions Array(Tuple(action String, channel String, template String, value Float64, probability Float64, allowed Bool, denied_by Array(String)))
        ALIAS JSONExtract(payload, 'actions', 'Array(Tuple(action String, channel String, template String, value Float64, probability Float64, allowed Bool, denied_by Array(String)))'),
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
