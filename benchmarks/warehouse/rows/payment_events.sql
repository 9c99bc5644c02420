SELECT
    concat('e', toString(i), '-', toString(e.3)) AS event_id,
    e.1 AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(e.2, 'UTC') AS occurred_at,
    'billing' AS source,
    if(type = 'invoice.issued', invoice, NULL) AS invoice_id,
    if(type != 'invoice.issued', concat('p', toString(i), '-', toString(e.3)), NULL) AS payment_id,
    currency,
    if(type = 'payment.received', ['card', 'direct_debit', 'bank_transfer'][1 + i % 3], NULL) AS method,
    if(type = 'payment.failed', 'insufficient_funds', NULL) AS code,
    amount AS amount_minor,
    if(type = 'invoice.issued', fromUnixTimestamp64Milli(due_ms, 'UTC'), NULL) AS due_at
FROM ($invoices)
ARRAY JOIN arrayFilter(
    event -> event.2 <= now_ms,
    arrayConcat(
        [('invoice.issued', issued_ms, 0)],
        if(has_paid, [('payment.received', paid_ms, 1)], []),
        if(cityHash64(i, 'fails') % 10 = 0, [('payment.failed', due_ms - day_ms, 2)], []),
        if(cityHash64(i, 'waits') % 10 = 0, [('payment.pending', due_ms - 2 * day_ms, 3)], []))) AS e
