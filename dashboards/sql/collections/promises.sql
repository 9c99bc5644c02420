SELECT
    formatDateTime(toStartOfWeek(day, 1), '%d %b') AS "Week from",
    sum(kept_minor) / ${minor_per_unit} AS "kept",
    sum(broken_minor) / ${minor_per_unit} AS "broken"
FROM promises_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY toStartOfWeek(day, 1)
ORDER BY toStartOfWeek(day, 1)
