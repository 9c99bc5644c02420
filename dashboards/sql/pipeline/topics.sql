SELECT
    topic AS "Topic",
    sum(pipeline_minutes.rows) AS "Rows",
    sum(pipeline_minutes.refused) AS "Without values",
    sum(pipeline_minutes.bytes) AS "Bytes",
    max(minute) AS "Last row",
    max(to_row_ms_p99) AS "Worst p99"
FROM pipeline_minutes
WHERE $__timeFilter(minute)
GROUP BY topic
ORDER BY "Rows" DESC
