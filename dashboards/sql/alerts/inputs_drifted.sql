SELECT tenant_id AS tenant, model, uniqExactIf(feature, drift.drifted) AS value
FROM drift
WHERE $__timeFilter(at)
GROUP BY tenant_id, model
ORDER BY tenant, model
