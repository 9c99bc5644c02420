SELECT
    'tenant.changed' AS type,
    ['acme', 'globex'][number + 1] AS tenant_id,
    ['Acme', 'Globex'][number + 1] AS name,
    [['EUR'], ['USD', 'GBP']][number + 1] AS currencies,
    ['Europe/Berlin', 'America/New_York'][number + 1] AS time_zone,
    fromUnixTimestamp64Milli(toInt64($start_ms), 'UTC') AS occurred_at,
    occurred_at AS live_since
FROM numbers(2)
