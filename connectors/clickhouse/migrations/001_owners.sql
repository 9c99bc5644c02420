-- Which worker may land a partition: the row with the greatest (epoch, owner). Every insert of a block asks.
CREATE TABLE IF NOT EXISTS owners
(
    topic LowCardinality(String),
    partition UInt32,
    epoch UInt64,
    owner String,
    claimed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (topic, partition, epoch);
