SELECT
    formatDateTime(toStartOfWeek(day, 1), '%d %b') AS "Week from",
    sum(agents_daily.promises_kept) AS "kept",
    sum(agents_daily.promises) - sum(agents_daily.promises_kept) AS "broken or still open"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency IN ('', ${currency:singlequote}) AND $__dateFilter(day)
GROUP BY toStartOfWeek(day, 1)
ORDER BY toStartOfWeek(day, 1)
