SELECT toDateTime(day, 'UTC') AS time, sum(collected_minor) / ${minor_per_unit} AS "Cash"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
