SELECT $__timeInterval(minute) AS time, sum(workers_minutes.dead_lettered) / nullIf(sum(workers_minutes.events), 0) AS "Refused"
FROM workers_minutes
WHERE job = 'decide' AND $__timeFilter(minute)
GROUP BY time
ORDER BY time
