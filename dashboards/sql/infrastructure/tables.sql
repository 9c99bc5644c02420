SELECT
    table AS "Table",
    sum(parts.rows) AS "Rows",
    sum(bytes_on_disk) AS "On disk",
    sum(data_uncompressed_bytes) / nullIf(sum(data_compressed_bytes), 0) AS "Compressed by",
    count() AS "Parts",
    sum(bytes_on_disk) / nullIf(sum(parts.rows), 0) AS "Bytes a row"
FROM system.parts AS parts
WHERE active AND database = currentDatabase()
GROUP BY table
ORDER BY "On disk" DESC
LIMIT 30
