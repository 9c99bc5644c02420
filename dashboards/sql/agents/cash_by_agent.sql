SELECT
    agent AS "Agent",
    sum(collected_minor) / ${minor_per_unit} AS "Cash"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day)
GROUP BY agent
ORDER BY "Cash" DESC
LIMIT 12
