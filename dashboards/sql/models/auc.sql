SELECT toDateTime(week, 'UTC') AS time, sum(auc * scores) / nullIf(sumIf(scores, auc IS NOT NULL), 0) AS "AUC"
FROM score_quality
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(week)
GROUP BY week
ORDER BY week
