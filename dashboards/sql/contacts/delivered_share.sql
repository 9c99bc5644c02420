-- Calls are not delivered: they are under the dials.
SELECT toDateTime(day, 'UTC') AS time, sum(delivered) / nullIf(sum(dispatched), 0) AS "Delivered"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND channel IN ('email', 'sms', 'letter') AND $__dateFilter(day)
GROUP BY day
ORDER BY day
