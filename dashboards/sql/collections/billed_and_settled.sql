SELECT
    formatDateTime(toStartOfWeek(day, 1), '%d %b') AS "Week from",
    sum(billed_minor) / ${minor_per_unit} AS "Billed",
    sum(collected_minor - reversed_minor) / ${minor_per_unit} AS "Collected",
    sum(written_off_minor) / ${minor_per_unit} AS "Written off"
FROM collections_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY toStartOfWeek(day, 1)
ORDER BY toStartOfWeek(day, 1)
