-- Days with few scores jump, so each is the mean of seven, weighted by scores.
WITH
    each_day AS
    (
        SELECT tenant_id, model, day, psi * scores AS part, scores AS whole
        FROM score_drift_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND day >= toDate($__fromTime) - 6 AND day <= toDate($__toTime)
    ),
    windows AS
    (
        SELECT
            day,
            concat(tenant_id, ' · ', model) AS series,
            sum(part) OVER week / sum(whole) OVER week AS psi_7d
        FROM each_day
        WINDOW week AS (PARTITION BY tenant_id, model ORDER BY day RANGE BETWEEN 6 PRECEDING AND CURRENT ROW)
    )
SELECT toDateTime(day, 'UTC') AS time, series, psi_7d AS "Value"
FROM windows
WHERE $__dateFilter(day)
ORDER BY day, series
