WITH each_day AS
    (
        SELECT day, sum(complaints_daily.complaints) AS complained, sum(complaints_daily.contacts) AS contacted
        FROM complaints_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND day >= toDate($__fromTime) - 27 AND day <= toDate($__toTime)
        GROUP BY day
    ),
    windows AS
    (
        SELECT
            day,
            sum(complained) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS complained_28d,
            sum(contacted) OVER (ORDER BY day RANGE BETWEEN 27 PRECEDING AND CURRENT ROW) AS contacted_28d
        FROM each_day
    )
SELECT toDateTime(day, 'UTC') AS time, 1000 * complained_28d / nullIf(contacted_28d, 0) AS "Complaints"
FROM windows
WHERE $__dateFilter(day)
ORDER BY day
