SELECT
    toDateTime(day, 'UTC') AS time,
    concat(from_bucket, ' → ', to_bucket) AS step,
    sum(to_minor) / nullIf(sum(from_minor), 0) AS "Value"
FROM roll_rates_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY day, from_bucket, to_bucket
ORDER BY day, from_bucket != 'current', from_bucket
