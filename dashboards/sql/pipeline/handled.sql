SELECT
    $__timeInterval(minute) AS time,
    sum(workers_minutes.applied) / $__interval_s AS "applied",
    sum(workers_minutes.dropped) / $__interval_s AS "dropped",
    sum(workers_minutes.dead_lettered) / $__interval_s AS "refused"
FROM workers_minutes
WHERE job = 'decide' AND $__timeFilter(minute)
GROUP BY time
ORDER BY time
