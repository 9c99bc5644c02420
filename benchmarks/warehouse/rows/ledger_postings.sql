SELECT
    concat('l', toString(i), '-', toString(e.3)) AS event_id,
    'ledger.posted' AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(e.2, 'UTC') AS occurred_at,
    'decide' AS source,
    e.1 AS cause,
    concat('e', toString(i), '-', toString(e.3)) AS caused_by,
    currency,
    toDate32(occurred_at) AS booked_on,
    if(cause = 'payment.received', amount, 0) AS cash_minor,
    0 AS on_account_minor,
    0 AS recovered_minor,
    -- The last contact before the money, if it is not too old.
    arrayLast(pair -> pair.2 AND pair.1.2 <= e.2 AND pair.1.2 > e.2 - 14 * day_ms, arrayZip(decisions, contacts, channels)) AS _touch,
    if(cause = 'payment.received' AND _touch.3 != '', concat('c', toString(i), '-', toString(_touch.1.1)), NULL) AS contact_id,
    if(contact_id IS NULL, NULL, _touch.3) AS contact_channel,
    [CAST(
        (invoice, if(cause = 'payment.received', -amount, amount), due, issued_day, if(cause = 'payment.received', -1, 1)),
        'Tuple(invoice_id String, amount_minor Int64, due_on Date32, placed_on Date32, opened Int8)')] AS lines
FROM ($invoices)
ARRAY JOIN arrayFilter(
    event -> event.2 <= now_ms,
    arrayConcat([('invoice.issued', issued_ms, 0)], if(has_paid, [('payment.received', paid_ms, 1)], []))) AS e
