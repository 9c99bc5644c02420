SELECT toDateTime(day, 'UTC') AS time, max(psi) AS "PSI"
FROM score_drift_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(day)
GROUP BY day
ORDER BY day
