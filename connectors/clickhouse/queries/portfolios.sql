-- Summed by day already, so that no posting is read.
SELECT
    tenant_id,
    currency,
    toInt64(toInt32(max(day))) AS last_day
FROM $database.collections_daily
GROUP BY tenant_id, currency
ORDER BY tenant_id, currency
