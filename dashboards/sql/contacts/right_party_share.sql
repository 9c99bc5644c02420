-- A message that is left by voicemail, a channel of its own, is no dial.
WITH
    each_day AS
    (
        SELECT day, sum(contact_funnel_daily.right_party) AS part, sum(contact_funnel_daily.dials) AS whole
        FROM contact_funnel_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND channel = 'call' AND day >= toDate($__fromTime) - 27 AND day <= toDate($__toTime)
        GROUP BY day
    ),
    windows AS
    (
        SELECT
            day,
            sum(part) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS part_28d,
            sum(whole) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS whole_28d
        FROM each_day
    )
SELECT toDateTime(day, 'UTC') AS time, part_28d / nullIf(whole_28d, 0) AS "Right party"
FROM windows
WHERE $__dateFilter(day)
ORDER BY day
