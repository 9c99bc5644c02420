-- How large tables are, what they are ordered by, how they were made.
SELECT name, ifNull(total_rows, 0), ifNull(total_bytes, 0), sorting_key, engine_full, uuid
FROM system.tables
WHERE database = $name_of_database AND name IN $names
