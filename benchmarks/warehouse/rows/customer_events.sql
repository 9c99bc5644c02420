SELECT
    concat('u', toString(i), '-', toString(e.3)) AS event_id,
    e.1 AS type,
    tenant_id,
    if(type = 'model.drifted', '', found.account_id) AS account_id,
    fromUnixTimestamp64Milli(e.2, 'UTC') AS occurred_at,
    'decide' AS source,
    if(type = 'invoice.overdue', invoice, NULL) AS invoice_id,
    if(startsWith(type, 'promise'), concat('m', toString(i), '-', toString(e.3 - 2)), NULL) AS promise_id,
    if(type IN ('account.cured', 'model.drifted'), NULL, found.currency) AS currency,
    if(type = 'invoice.overdue', amount, NULL) AS open_minor,
    if(startsWith(type, 'promise'), amount, NULL) AS amount_minor,
    if(type = 'invoice.overdue', 1, NULL) AS days_past_due,
    if(type = 'model.drifted', found.model, NULL) AS model,
    if(type = 'model.drifted', 'paid_late_share', NULL) AS feature,
    if(type = 'model.drifted', 'psi', NULL) AS statistic,
    if(type = 'model.drifted', (i % 40) / 100, NULL) AS value,
    if(type = 'model.drifted', 0.2, NULL) AS threshold,
    if(type = 'model.drifted', 5000, NULL) AS n,
    if(startsWith(type, 'promise'), toDate32(occurred_at) - 1, NULL) AS due_on
FROM ($invoices) AS found
ARRAY JOIN arrayFilter(
    event -> event.2 <= now_ms,
    arrayConcat(
        if(NOT has_paid OR paid_ms > due_ms + day_ms, [('invoice.overdue', due_ms + day_ms, toInt64(0))], []),
        if(i % 3000 = 0, [('model.drifted', issued_ms, toInt64(9))], []),
        if(has_paid AND paid_ms > due_ms + day_ms, [('account.cured', paid_ms, toInt64(1))], []),
        arrayMap(
            pair -> (if(has_paid AND paid_ms < pair.1.2 + 8 * day_ms, 'promise.kept', 'promise.broken'), pair.1.2 + 8 * day_ms, toInt64(2 + pair.1.1)),
            arrayFilter(pair -> pair.2 AND cityHash64(i, pair.1.1, 'promises') % 10 = 0, arrayZip(decisions, contacts))))) AS e
