SELECT toDateTime(day, 'UTC') AS time, sum(overdue_minor) / nullIf(sum(open_minor), 0) AS "Overdue share"
FROM receivables_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY day
ORDER BY day
