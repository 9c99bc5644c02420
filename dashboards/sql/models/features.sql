SELECT
    tenant_id AS "Tenant",
    model AS "Model",
    feature AS "Input",
    statistic AS "Measure",
    argMax(value, at) AS "Value",
    argMax(threshold, at) AS "Limit",
    argMax(n, at) AS "Accounts",
    argMax(drift.drifted, at) ? 'drifted' : 'as before' AS "Finding"
FROM drift
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__timeFilter(at)
GROUP BY tenant_id, model, feature, statistic
ORDER BY "Finding" DESC, "Value" / nullIf("Limit", 0) DESC
LIMIT 40
