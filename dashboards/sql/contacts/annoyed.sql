SELECT
    toDateTime(toStartOfWeek(day, 1), 'UTC') AS time,
    channel,
    1000 * (sum(complaints_daily.complaints) + sum(complaints_daily.opt_outs)) / nullIf(sum(complaints_daily.contacts), 0) AS "Value"
FROM complaints_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND channel NOT IN ('', 'all') AND $__dateFilter(day)
GROUP BY time, channel
HAVING sum(complaints_daily.contacts) > 0
ORDER BY time, channel
