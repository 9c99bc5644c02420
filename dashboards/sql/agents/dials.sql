SELECT toDateTime(day, 'UTC') AS time, sum(agents_daily.dials) AS "Dials"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency IN ('', ${currency:singlequote}) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
