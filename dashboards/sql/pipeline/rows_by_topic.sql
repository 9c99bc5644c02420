SELECT $__timeInterval(minute) AS time, topic, sum(pipeline_minutes.rows) / $__interval_s AS "Value"
FROM pipeline_minutes
WHERE $__timeFilter(minute)
GROUP BY time, topic
ORDER BY time, topic
