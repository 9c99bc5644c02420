-- The rules that deny most have a colour of their own; the table beside has all of them.
WITH most AS
    (
        SELECT rule
        FROM denials_hourly
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
        GROUP BY rule
        ORDER BY sum(denials_hourly.denials) DESC
        LIMIT 7
    )
SELECT
    toDateTime(toStartOfDay(hour), 'UTC') AS time,
    if(rule IN (SELECT rule FROM most), rule, 'others') AS why,
    sum(denials_hourly.denials) AS "Value"
FROM denials_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY time, why
ORDER BY time, why = 'others', why
