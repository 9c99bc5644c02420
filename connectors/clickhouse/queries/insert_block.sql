INSERT INTO $database.$table $columns
-- As clauses of the statement: set on the session, the views' deduplication was not honoured everywhere.
SETTINGS insert_deduplication_token = $token, deduplicate_blocks_in_dependent_materialized_views = 1, max_insert_threads = 1
SELECT $expressions
FROM input($structure)
-- An insert of a former owner fails here, whenever it arrives.
WHERE throwIf(
    (
        SELECT groupUniqArray(top)
        FROM (SELECT max((epoch, owner)) AS top FROM $database.owners WHERE topic = $topic AND partition IN $partitions GROUP BY partition)
    ) != [($epoch, $owner)],
    $stale) = 0
FORMAT ArrowStream
