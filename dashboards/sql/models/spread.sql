SELECT
    toDateTime(day, 'UTC') AS time,
    sum(p10 * scores) / sum(scores) AS "p10",
    sum(p50 * scores) / sum(scores) AS "p50",
    sum(p90 * scores) / sum(scores) AS "p90"
FROM scores_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND role = 'champion' AND $__dateFilter(day)
GROUP BY day
ORDER BY day
