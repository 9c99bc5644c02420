SELECT toDateTime(hour, 'UTC') AS time, sum(dead_letters_hourly.letters) AS "Letters"
FROM dead_letters_hourly
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY hour
ORDER BY hour
