SELECT
    tenant_id AS "Tenant",
    agent AS "Agent",
    sum(agents_daily.dials) AS "Dials",
    sum(agents_daily.connects) / nullIf(sum(agents_daily.dials), 0) AS "Answered",
    sum(agents_daily.right_party) / nullIf(sum(agents_daily.dials), 0) AS "Right party",
    sum(agents_daily.promises) / nullIf(sum(agents_daily.right_party), 0) AS "Promises a conversation",
    sum(agents_daily.promises_kept) / nullIf(sum(agents_daily.promises), 0) AS "Kept so far",
    sumIf(promised_minor, currency = ${currency:singlequote}) / ${minor_per_unit} AS "Promised",
    sumIf(collected_minor, currency = ${currency:singlequote}) / ${minor_per_unit} AS "Cash",
    sumIf(collected_minor, currency = ${currency:singlequote}) / ${minor_per_unit} / nullIf(sum(agents_daily.handle_seconds) / 3600, 0) AS "Cash an hour",
    sum(agents_daily.handle_seconds) / nullIf(sum(agents_daily.dials), 0) AS "Seconds a call"
FROM agents_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__dateFilter(day)
GROUP BY tenant_id, agent
ORDER BY "Cash" DESC
LIMIT 50
