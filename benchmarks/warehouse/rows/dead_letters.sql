SELECT
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(issued_ms, 'UTC') AS occurred_at,
    ['wrong_field', 'unknown_tenant', 'missing_field', 'not_json'][1 + cityHash64(i, 'why') % 4] AS reason,
    'amount_minor' AS `field`,
    'expected an integer' AS detail,
    'payment-events' AS source_topic,
    i % 8 AS source_partition,
    i AS source_offset,
    1 AS attempt,
    occurred_at AS first_seen
FROM ($invoices)
WHERE i % 500 = 0
