SELECT toDateTime(day, 'UTC') AS time, sum(scores) AS "Scores"
FROM scores_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
