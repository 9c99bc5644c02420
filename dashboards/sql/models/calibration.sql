SELECT
    concat(toString(bin * 10), '-', toString(bin * 10 + 10), ' %') AS "Score",
    sum(mean_probability * scores) / sum(scores) AS "Expected",
    sum(observed_rate * scores) / sum(scores) AS "Observed"
FROM calibration
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND $__dateFilter(week)
GROUP BY bin
ORDER BY bin
