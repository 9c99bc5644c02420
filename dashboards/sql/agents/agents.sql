SELECT
    tenant_id AS "Tenant",
    agent AS "Agent",
    sum(agents_daily.dials) AS "Dials",
    sum(agents_daily.connects) / nullIf(sum(agents_daily.dials), 0) AS "Answered",
    sum(agents_daily.right_party) / nullIf(sum(agents_daily.dials), 0) AS "Right party",
    sum(agents_daily.promises) / nullIf(sum(agents_daily.right_party), 0) AS "Promises a conversation",
    sum(agents_daily.promises_kept) / nullIf(sum(agents_daily.promises), 0) AS "Kept so far",
    sum(promised_minor) / ${minor_per_unit} AS "Promised",
    sum(collected_minor) / ${minor_per_unit} AS "Cash",
    sum(collected_minor) / ${minor_per_unit} / nullIf(sum(agents_daily.handle_seconds) / 3600, 0) AS "Cash an hour",
    sum(agents_daily.handle_seconds) / nullIf(sum(agents_daily.dials), 0) AS "Seconds a call"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency IN ('', ${currency:singlequote}) AND $__dateFilter(day)
GROUP BY tenant_id, agent
ORDER BY "Cash" DESC
LIMIT 50
