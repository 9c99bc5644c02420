SELECT toDateTime(hour, 'UTC') AS time, sum(dead_letters_hourly.letters) AS "Letters"
FROM dead_letters_hourly
WHERE $__timeFilter(hour)
GROUP BY hour
ORDER BY hour
