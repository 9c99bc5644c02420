SELECT
    agent AS "Agent",
    sum(agents_daily.handle_seconds) / nullIf(sum(agents_daily.dials), 0) AS "Seconds a call"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency IN ('', ${currency:singlequote}) AND $__dateFilter(day)
GROUP BY agent
ORDER BY "Seconds a call" DESC
LIMIT 12
