SELECT toDateTime(day, 'UTC') AS time, sum(collected_minor - reversed_minor) / ${minor_per_unit} AS "Net cash"
FROM collections_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY day
ORDER BY day
