SELECT
    concat('t', toString(i), '-', toString(d.1), '-', toString(e.3)) AS event_id,
    e.1 AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(e.2, 'UTC') AS occurred_at,
    'dispatch' AS source,
    if(type IN ('promise.made', 'complaint.received', 'opt_out.received'), NULL, concat('c', toString(i), '-', toString(d.1))) AS contact_id,
    if(contact_id IS NULL, NULL, concat('d', toString(i), '-', toString(d.1))) AS decision_id,
    if(type = 'promise.made', concat('m', toString(i), '-', toString(d.1)), NULL) AS promise_id,
    if(type = 'complaint.received', concat('k', toString(i), '-', toString(d.1)), NULL) AS complaint_id,
    if(type = 'call.completed', NULL, via) AS channel,
    if(type = 'contact.sent', concat('reminder-', toString(1 + d.1)), NULL) AS template,
    if(type IN ('contact.sent', 'call.completed'), 'collection', NULL) AS purpose,
    if(type = 'contact.sent', 'twilio', NULL) AS provider,
    if(type = 'call.completed', ['conversation', 'no_answer', 'voicemail', 'not_connected', 'third_party'][1 + cityHash64(i, d.1, 'outcome') % 5], NULL) AS outcome,
    if(type = 'call.completed', concat('agent-', toString(cityHash64(i, d.1) % 40)), NULL) AS agent,
    if(type = 'call.completed', 30. + cityHash64(i, d.1, 'seconds') % 400, NULL) AS handle_seconds,
    if(type = 'promise.made', currency, NULL) AS currency,
    if(type = 'promise.made', amount, NULL) AS amount_minor,
    if(type = 'promise.made', toDate32(occurred_at) + 7, NULL) AS due_on
FROM ($invoices)
ARRAY JOIN
    decisions AS d,
    contacts AS contacted,
    channels AS via
ARRAY JOIN arrayFilter(
    event -> event.2 <= now_ms,
    arrayConcat(
        [if(via = 'call', ('call.completed', d.2 + 600000, 0), ('contact.sent', d.2 + 5000, 0))],
        if(via IN ('email', 'sms'), [('contact.delivered', d.2 + 9000, 1)], []),
        if(via = 'email' AND cityHash64(i, d.1, 'opens') % 10 < 4, [('contact.opened', d.2 + 7200000, 2)], []),
        if(cityHash64(i, d.1, 'promises') % 10 = 0, [('promise.made', d.2 + 8000000, 3)], []),
        if(cityHash64(i, d.1, 'complains') % 300 = 0, [('complaint.received', d.2 + 9000000, 4)], []),
        if(via IN ('email', 'sms') AND cityHash64(i, d.1, 'opts out') % 100 = 0, [('opt_out.received', d.2 + 9500000, 5)], []))) AS e
WHERE contacted
