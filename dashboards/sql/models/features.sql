-- Only what has drifted is told; what is well again is not told any more, and its last finding grows old.
SELECT
    tenant_id AS "Tenant",
    model AS "Model",
    feature AS "Input",
    statistic AS "Measure",
    argMax(value, at) AS "Value",
    argMax(threshold, at) AS "Limit",
    argMax(n, at) AS "Accounts",
    toDate(max(at)) AS "Last found"
FROM drift
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__timeFilter(at)
GROUP BY tenant_id, model, feature, statistic
ORDER BY "Last found" DESC, abs("Value") / nullIf("Limit", 0) DESC
LIMIT 40
