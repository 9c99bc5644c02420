-- What each event of payment_events did to the books; one row an event and currency.
CREATE TABLE IF NOT EXISTS ledger_postings
(
    event_id String,
    type LowCardinality(String),
    tenant_id LowCardinality(String),
    account_id String,
    occurred_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    schema_version Nullable(Int64),
    history Bool,
    cause LowCardinality(String),
    caused_by String,
    currency LowCardinality(String),
    booked_on Nullable(Date32),
    cash_minor Nullable(Int64),
    on_account_minor Nullable(Int64),
    recovered_minor Nullable(Int64),
    contact_id String,
    contact_channel LowCardinality(String),
    lines Array(Tuple(invoice_id String, amount_minor Int64, due_on Date32, placed_on Date32, opened Int8))
        DEFAULT JSONExtract(
            payload,
            'lines',
            'Array(Tuple(invoice_id String, amount_minor Int64, due_on Date32, placed_on Date32, opened Int8))'
        ),
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
