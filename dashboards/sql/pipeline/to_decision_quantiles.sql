SELECT $__timeInterval(minute) AS time, max(to_result_ms_p50) AS "p50", max(to_result_ms_p99) AS "p99"
FROM workers_minutes
WHERE job = 'decide' AND $__timeFilter(minute)
GROUP BY time
ORDER BY time
