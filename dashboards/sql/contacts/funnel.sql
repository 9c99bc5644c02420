SELECT
    sum(decided) AS "decided",
    sum(dispatched) AS "sent",
    sumIf(delivered, channel IN ('email', 'sms')) AS "delivered (e-mail, text)",
    sum(opened) AS "opened (e-mail)",
    sum(clicked) AS "clicked",
    sum(replied) AS "replied",
    sum(promises) AS "promised",
    sum(promises_kept) AS "promise kept"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND $__dateFilter(day)
