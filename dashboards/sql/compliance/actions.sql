SELECT
    toDateTime(toStartOfDay(hour), 'UTC') AS time,
    action,
    sum(decisions_hourly.decisions) AS "Value"
FROM decisions_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__timeFilter(hour)
GROUP BY time, action
ORDER BY time, action
