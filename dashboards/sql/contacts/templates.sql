SELECT
    channel AS "Channel",
    template AS "Template",
    sum(dispatched) AS "Sent",
    sum(opened) / nullIf(sumIf(delivered, channel = 'email'), 0) AS "Opened",
    sum(replied) / nullIf(sum(dispatched), 0) AS "Replied",
    sum(promises) / nullIf(sum(dispatched), 0) AS "Promised",
    sum(collected_minor) / ${minor_per_unit} / nullIf(sum(dispatched), 0) AS "Cash a contact",
    1000 * sum(complaints) / nullIf(sum(dispatched), 0) AS "Complaints per 1,000"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND template != '' AND $__dateFilter(day)
GROUP BY channel, template
HAVING sum(dispatched) > 0
ORDER BY sum(collected_minor) DESC
LIMIT 30
