SELECT
    formatDateTime(month, '%Y-%m') AS "Month",
    sum(cures_monthly.cured) AS "Caught up",
    sum(redefaulted_30d) / nullIf(sum(matured_30d), 0) AS "Late again in 30 days",
    sum(redefaulted_90d) / nullIf(sum(matured_90d), 0) AS "Late again in 90 days"
FROM cures_monthly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant)
GROUP BY month
ORDER BY month DESC
LIMIT 12
