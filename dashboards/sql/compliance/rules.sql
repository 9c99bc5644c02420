SELECT
    rule AS "Rule",
    rule AS "What it says",
    sum(denials_hourly.denials) AS "Denials",
    sum(denials_hourly.denials) / sum(sum(denials_hourly.denials)) OVER () AS "Share"
FROM denials_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY rule
ORDER BY "Denials" DESC
LIMIT 40
