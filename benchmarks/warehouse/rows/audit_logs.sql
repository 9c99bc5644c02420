SELECT
    concat('g', toString(i)) AS event_id,
    'audit.recorded' AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(issued_ms, 'UTC') AS occurred_at,
    'decide' AS source,
    concat('decide-', toString(i % 8)) AS chain,
    'decision' AS action,
    'decide' AS actor,
    concat('d', toString(i), '-0') AS subject,
    hex(cityHash64(i - 8)) AS previous,
    hex(cityHash64(i)) AS hash,
    [hex(cityHash64(i, 'record'))] AS records,
    intDiv(i, 8) AS sequence
FROM ($invoices)
WHERE i % 5 = 0
