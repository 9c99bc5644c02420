SELECT $__timeInterval(minute) AS time, job, max(lag) AS "Value"
FROM workers_minutes
WHERE $__timeFilter(minute)
GROUP BY time, job
ORDER BY time, job
