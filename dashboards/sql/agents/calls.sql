SELECT
    toDateTime(day, 'UTC') AS time,
    sum(agents_daily.dials) - sum(agents_daily.connects) AS "nobody took it",
    sum(agents_daily.connects) - sum(agents_daily.right_party) AS "somebody else",
    sum(agents_daily.right_party) AS "right party"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency IN ('', ${currency:singlequote}) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
