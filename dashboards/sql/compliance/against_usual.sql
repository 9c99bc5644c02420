-- A day's denials a decision, against the mean of the 14 days before it; days with few decisions say nothing.
WITH
    denied AS
    (
        SELECT toDate(hour) AS day, sum(denials_hourly.denials) AS denials
        FROM denials_hourly
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= $__fromTime - INTERVAL 14 DAY AND hour <= $__toTime
        GROUP BY day
    ),
    decided AS
    (
        SELECT toDate(hour) AS day, sum(decisions_hourly.decisions) AS decisions
        FROM decisions_hourly
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= $__fromTime - INTERVAL 14 DAY AND hour <= $__toTime
        GROUP BY day
        HAVING decisions >= 50
    ),
    windows AS
    (
        SELECT
            day,
            denials / decisions AS rate,
            sum(denials) OVER (ORDER BY day RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING) AS denials_before,
            sum(decisions) OVER (ORDER BY day RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING) AS decisions_before
        FROM decided
        LEFT JOIN denied ON decided.day = denied.day
    )
SELECT toDateTime(day, 'UTC') AS time, rate / nullIf(denials_before / decisions_before, 0) AS "Times the usual"
FROM windows
WHERE decisions_before > 0 AND day >= toDate($__fromTime)
ORDER BY day
