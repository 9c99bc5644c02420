SELECT
    policy AS "Strategy",
    arm AS "Arm",
    sum(dispatched) AS "Sent",
    sum(promises) / nullIf(sum(dispatched), 0) AS "Promised",
    sum(promises_kept) / nullIf(sum(promises), 0) AS "Kept so far",
    sum(collected_minor) / ${minor_per_unit} / nullIf(sum(dispatched), 0) AS "Cash a contact",
    sum(cost_minor) / nullIf(sum(collected_minor), 0) AS "Cost"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND policy != '' AND $__dateFilter(day)
GROUP BY policy, arm
ORDER BY sum(decided) DESC
LIMIT 20
