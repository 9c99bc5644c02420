SELECT $__timeInterval(minute) AS time, max(to_row_ms_p99) AS "p99"
FROM pipeline_minutes
WHERE $__timeFilter(minute)
GROUP BY time
ORDER BY time
