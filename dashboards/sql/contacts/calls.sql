-- A message that is left by voicemail, a channel of its own, is no dial.
SELECT
    toDateTime(day, 'UTC') AS time,
    sum(dials) - sum(connects) AS "nobody took it",
    sum(connects) - sum(right_party) AS "somebody else",
    sum(right_party) AS "right party"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND channel = 'call' AND $__dateFilter(day)
GROUP BY day
HAVING sum(dials) > 0
ORDER BY day
