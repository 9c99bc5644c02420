SELECT
    concat('s', toString(i), '-', toString(d.1), '-', role) AS event_id,
    'propensity.scored' AS type,
    tenant_id,
    account_id,
    fromUnixTimestamp64Milli(d.2, 'UTC') AS occurred_at,
    'decide' AS source,
    concat('d', toString(i), '-', toString(d.1)) AS decision_id,
    if(role = 'champion', model, 'acme-challenger') AS model,
    role,
    'paid_within:30' AS target,
    invoice AS invoice_id,
    hex(cityHash64(i, d.1)) AS features_id,
    30 AS horizon_days,
    least(0.99, greatest(0.01, p - 0.1 * d.1 + (cityHash64(i, d.1, role) % 100) / 1000)) AS probability,
    12.5 + d.1 AS expected_days,
    ['+ paid_late_share 0.1', '- days_past_due 4'] AS reasons
FROM ($invoices)
ARRAY JOIN decisions AS d
ARRAY JOIN if(d.1 = 0, ['champion', 'challenger'], ['champion']) AS role
