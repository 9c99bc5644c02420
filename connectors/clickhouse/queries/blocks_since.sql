SELECT count()
FROM
(
    SELECT DISTINCT _block
    FROM $database.$table
    WHERE _block_at >= fromUnixTimestamp64Milli($since, 'UTC')
    LIMIT $most
)
