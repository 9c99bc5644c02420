SELECT
    'model.released' AS type,
    ['acme', 'globex'][number + 1] AS tenant_id,
    'champion' AS role,
    'acme-baseline-2' AS model,
    'paid_within:30' AS target,
    'anna' AS released_by,
    fromUnixTimestamp64Milli(toInt64($start_ms), 'UTC') AS occurred_at
FROM numbers(2)
