SELECT
    concat('r', toString(i), '-', toString(d.1)) AS event_id,
    'contact.requested' AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(d.2, 'UTC') AS occurred_at,
    'decide' AS source,
    concat('d', toString(i), '-', toString(d.1)) AS decision_id,
    concat('c', toString(i), '-', toString(d.1)) AS contact_id,
    contact_id AS idempotency_key,
    via AS channel,
    concat('reminder-', toString(1 + d.1)) AS template,
    'collection' AS purpose,
    if(via = 'email', concat('a', toString(n), '@example.com'), concat('+4930', toString(1000000 + n))) AS address,
    'en' AS language,
    occurred_at AS not_before,
    fromUnixTimestamp64Milli(d.2 + day_ms, 'UTC') AS expires_at,
    [invoice] AS invoice_ids
FROM ($invoices)
ARRAY JOIN
    decisions AS d,
    contacts AS contacted,
    channels AS via
WHERE contacted
