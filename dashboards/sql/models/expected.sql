SELECT toDateTime(day, 'UTC') AS time, sum(mean_probability * scores) / nullIf(sum(scores), 0) AS "Mean"
FROM scores_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND role = 'champion' AND $__dateFilter(day)
GROUP BY day
ORDER BY day
