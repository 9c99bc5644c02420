SELECT
    toDateTime(day, 'UTC') AS time,
    sumIf(collected_minor, currency = ${currency:singlequote}) / ${minor_per_unit} / nullIf(sum(agents_daily.handle_seconds) / 3600, 0) AS "Cash an hour"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
