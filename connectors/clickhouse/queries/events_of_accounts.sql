-- What settles invoices: money, disputes and debts, account by account in the order in which it happened.
SELECT account_id, topic, key, payload
FROM
(
    SELECT account_id, 'payment-events' AS topic, _key AS key, payload, occurred_at, _offset
    FROM $database.payment_events
    WHERE tenant_id = $tenant AND valid AND occurred_at < $end AND account_id IN ($accounts)
    UNION ALL
    SELECT account_id, 'crm-events' AS topic, _key AS key, payload, occurred_at, _offset
    FROM $database.crm_events
    WHERE tenant_id = $tenant AND valid AND occurred_at < $end AND account_id IN ($accounts)
        AND type IN ('dispute.opened', 'dispute.resolved', 'debt.placed', 'debt.recalled', 'debt.sold')
)
ORDER BY account_id, occurred_at, topic, _offset
