-- What landed in the last whole minute, and how long it took: for a console that no worker runs beside.
SELECT sum(rows) AS landed, max(to_row_ms_p50) AS p50, max(to_row_ms_p99) AS p99
FROM pipeline_minutes
WHERE minute = toStartOfMinute(now('UTC')) - INTERVAL 1 MINUTE
