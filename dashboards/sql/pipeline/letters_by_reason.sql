SELECT toDateTime(hour, 'UTC') AS time, reason, sum(dead_letters_hourly.letters) AS "Value"
FROM dead_letters_hourly
WHERE $__timeFilter(hour)
GROUP BY hour, reason
ORDER BY hour, reason
