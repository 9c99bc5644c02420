SELECT
    channel AS "Channel",
    sum(dispatched) AS "Sent",
    sumIf(delivered, channel IN ('email', 'sms')) / nullIf(sumIf(dispatched, channel IN ('email', 'sms')), 0) AS "Delivered",
    sum(opened) / nullIf(sumIf(delivered, channel = 'email'), 0) AS "Opened",
    sum(replied) / nullIf(sum(dispatched), 0) AS "Replied",
    sumIf(right_party, channel = 'call') / nullIf(sumIf(dials, channel = 'call'), 0) AS "Right party",
    sum(promises) / nullIf(sum(dispatched), 0) AS "Promised",
    sum(promises_kept) / nullIf(sum(promises), 0) AS "Kept so far",
    sum(collected_minor) / ${minor_per_unit} AS "Cash",
    sum(collected_minor) / ${minor_per_unit} / nullIf(sum(dispatched), 0) AS "Cash a contact",
    sum(cost_minor) / ${minor_per_unit} / nullIf(sum(dispatched), 0) AS "Cost a contact"
FROM contact_funnel_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__conditionalAll(channel IN (${channel:singlequote}), $channel) AND channel != '' AND $__dateFilter(day)
GROUP BY channel
ORDER BY "Cash" DESC
