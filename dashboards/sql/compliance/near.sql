SELECT
    toDateTime(toStartOfDay(hour), 'UTC') AS time,
    sum(limits_near_hourly.decisions) - sum(one_left) - sum(none_left) AS "more left",
    sum(one_left) AS "one left",
    sum(none_left) AS "none left"
FROM limits_near_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY time
ORDER BY time
