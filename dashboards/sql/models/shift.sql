SELECT
    toDateTime(day, 'UTC') AS time,
    concat(tenant_id, ' · ', model) AS series,
    max(psi) AS "Value"
FROM score_drift_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(day)
GROUP BY day, tenant_id, model
ORDER BY day, series
