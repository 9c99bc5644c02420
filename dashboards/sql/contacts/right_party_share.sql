SELECT toDateTime(day, 'UTC') AS time, sum(right_party) / nullIf(sum(dials), 0) AS "Right party"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND $__dateFilter(day)
GROUP BY day
HAVING sum(dials) > 0
ORDER BY day
