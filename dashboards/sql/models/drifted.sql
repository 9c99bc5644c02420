-- A finding is told once a day and counts for seven, so that a day without a check is not taken for a good one.
WITH found AS
    (
        SELECT toDate(at) + later AS day, uniqExactIf((tenant_id, model, feature), drift.drifted) AS inputs
        FROM drift
        ARRAY JOIN range(7) AS later
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND at >= $__fromTime - INTERVAL 6 DAY AND at <= $__toTime
        GROUP BY day
    )
SELECT toDateTime(days.day, 'UTC') AS time, found.inputs AS "Drifted"
FROM
(
    SELECT toDate($__fromTime) + number AS day
    FROM numbers(toUInt64(dateDiff('day', $__fromTime, $__toTime)) + 1)
) AS days
LEFT JOIN found ON days.day = found.day
ORDER BY time
