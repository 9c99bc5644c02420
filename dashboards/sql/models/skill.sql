SELECT toDateTime(week, 'UTC') AS time, 1 - sum(brier * scores) / nullIf(sum(brier_base * scores), 0) AS "Skill"
FROM score_quality
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(week)
GROUP BY week
ORDER BY week
