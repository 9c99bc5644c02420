SELECT toDateTime(toStartOfDay(at), 'UTC') AS time, uniqExactIf((tenant_id, model, feature), drift.drifted) AS "Drifted"
FROM drift
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__timeFilter(at)
GROUP BY time
ORDER BY time
