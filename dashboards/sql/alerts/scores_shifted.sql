-- The mean of the days, weighted by scores; a model with few scores says nothing.
SELECT tenant_id AS tenant, model, sum(psi * scores) / sum(scores) AS value
FROM score_drift_daily
WHERE $__dateFilter(day)
GROUP BY tenant_id, model
HAVING sum(score_drift_daily.scores) >= 500
ORDER BY tenant, model
