SELECT toDateTime(day, 'UTC') AS time, sum(agents_daily.handle_seconds) / nullIf(sum(agents_daily.dials), 0) AS "A call"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
