SELECT toDateTime(toStartOfDay(hour), 'UTC') AS time, sum(decisions_hourly.contacts) / nullIf(sum(decisions_hourly.decisions), 0) AS "Contact"
FROM decisions_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY time
ORDER BY time
