SELECT toDateTime(day, 'UTC') AS time, sum(overdue_minor) / ${minor_per_unit} AS "Overdue"
FROM receivables_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY day
ORDER BY day
