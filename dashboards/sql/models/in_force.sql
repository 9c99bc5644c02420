SELECT
    tenant_id AS "Tenant",
    model AS "Model",
    role AS "Role",
    target AS "Predicts",
    max(day) AS "Last scored",
    sum(scores) AS "Scores",
    sum(mean_probability * scores) / sum(scores) AS "Mean score"
FROM scores_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(day)
GROUP BY tenant_id, model, role, target
ORDER BY "Last scored" DESC, "Scores" DESC
LIMIT 20
