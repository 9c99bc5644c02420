WITH each_day AS
    (
        SELECT day, sum(kept) AS kept, sum(broken) AS broken
        FROM promises_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND day >= toDate($__fromTime) - 27 AND day <= toDate($__toTime)
        GROUP BY day
    ),
    windows AS
    (
        SELECT
            day,
            sum(kept) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS kept_28d,
            sum(broken) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS broken_28d
        FROM each_day
    )
SELECT toDateTime(day, 'UTC') AS time, kept_28d / nullIf(kept_28d + broken_28d, 0) AS "Kept"
FROM windows
WHERE $__dateFilter(day)
ORDER BY day
