-- A day without a finding has none: that is the good case.
WITH found AS
    (
        SELECT toDate(at) AS day, uniqExactIf((tenant_id, model, feature), drift.drifted) AS inputs
        FROM drift
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__timeFilter(at)
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
