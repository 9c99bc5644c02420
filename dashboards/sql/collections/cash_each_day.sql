WITH each_day AS
    (
        SELECT day, sum(collected_minor) AS collected, sum(reversed_minor) AS reversed
        FROM collections_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND day >= toDate($__fromTime) - 6 AND day <= toDate($__toTime)
        GROUP BY day
    )
SELECT
    toDateTime(day, 'UTC') AS time,
    collected / ${minor_per_unit} AS "Received",
    -reversed / ${minor_per_unit} AS "Went back",
    sum(collected - reversed) OVER (ORDER BY day RANGE BETWEEN 6 PRECEDING AND CURRENT ROW) / 7 / ${minor_per_unit} AS "Mean of 7 days, net"
FROM each_day
WHERE day >= toDate($__fromTime)
ORDER BY day
