SELECT
    toDateTime(toStartOfDay(hour), 'UTC') AS time,
    action,
    sum(decisions_hourly.decisions) AS "Value"
FROM decisions_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY time, action
ORDER BY time, action
