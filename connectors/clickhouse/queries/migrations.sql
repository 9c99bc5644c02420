-- What `recoup migrate` has applied.
CREATE TABLE IF NOT EXISTS $database.migrations
(
    number UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY number
