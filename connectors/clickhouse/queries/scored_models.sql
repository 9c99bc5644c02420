-- Which models scored the accounts of which tenants: scores before and since an instant, and those with other features.
SELECT
    tenant_id,
    model,
    argMax(role, occurred_at),
    argMax(target, occurred_at),
    countIf(occurred_at < $since),
    countIf(occurred_at >= $since),
    countIf(features_hash != $hash OR length(features) != $columns)
FROM $database.propensity_scores
WHERE type = 'propensity.scored' AND valid AND occurred_at >= $first AND occurred_at < $end
    AND ($tenant = '' OR tenant_id = $tenant) AND ($model = '' OR model = $model)
GROUP BY tenant_id, model
ORDER BY tenant_id, argMax(role, occurred_at) = 'challenger', model
