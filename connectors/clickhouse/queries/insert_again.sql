-- A block sent again out of the table itself: the table drops it, and so does each view that has it. It is known again
-- only as one chunk, as it was sent: so it is sorted, and a chunk takes more rows than a block ever has.
INSERT INTO $database.$table $columns
SETTINGS insert_deduplication_token = $token, deduplicate_blocks_in_dependent_materialized_views = 1, max_insert_threads = 1,
    min_insert_block_size_rows = 10000000, min_insert_block_size_bytes = 4000000000,
    max_block_size = 600000, preferred_block_size_bytes = 0
SELECT $listed
FROM $database.$table
WHERE _topic = $topic AND _block = $token
    AND throwIf(
        (SELECT max((epoch, owner)) FROM $database.owners WHERE topic = $fence AND partition = $number) != ($epoch, $owner),
        $stale) = 0
ORDER BY _partition, _offset
