SELECT
    concat(toString(decile * 10), '-', toString(decile * 10 + 10), ' %') AS "Score",
    sum(scores) AS "Scores"
FROM scores_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__conditionalAll(model IN (${model:singlequote}), $model) AND role = 'champion' AND $__dateFilter(day)
GROUP BY decile
ORDER BY decile
