WITH each_day AS
    (
        SELECT day, sum(cost_minor) AS cost, sum(collected_minor) AS cash
        FROM contact_funnel_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND day >= toDate($__fromTime) - 27 AND day <= toDate($__toTime)
        GROUP BY day
    ),
    windows AS
    (
        SELECT
            day,
            sum(cost) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS cost_28d,
            sum(cash) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS cash_28d
        FROM each_day
    )
SELECT toDateTime(day, 'UTC') AS time, cost_28d / nullIf(greatest(cash_28d, 0), 0) AS "Cost share"
FROM windows
WHERE $__dateFilter(day)
ORDER BY day
