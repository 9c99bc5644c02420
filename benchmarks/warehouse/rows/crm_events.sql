SELECT
    concat('x', toString(i)) AS event_id,
    'account.updated' AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(issued_ms, 'UTC') AS occurred_at,
    'crm' AS source,
    ['household', 'business', 'vulnerable'][1 + n % 3] AS segment,
    'en' AS language,
    if(tenant_id = 'acme', 'DE', 'US') AS country,
    if(tenant_id = 'acme', NULL, 'MA') AS state
FROM ($invoices)
WHERE i % 5 = 0
