SELECT $__timeInterval(minute) AS time, sum(pipeline_minutes.rows) / $__interval_s AS "Rows"
FROM pipeline_minutes
WHERE $__timeFilter(minute)
GROUP BY time
ORDER BY time
