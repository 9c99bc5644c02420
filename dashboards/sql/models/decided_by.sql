SELECT
    toDateTime(toStartOfDay(hour), 'UTC') AS time,
    model,
    sum(decisions) AS "Value"
FROM decisions_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND model != '' AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY time, model
ORDER BY time, model
