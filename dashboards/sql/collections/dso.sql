SELECT toDateTime(day, 'UTC') AS time, 90 * sum(open_minor) / nullIf(sum(billed_90d_minor), 0) AS "DSO"
FROM receivables_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY day
ORDER BY day
