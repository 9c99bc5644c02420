SELECT
    tenant_id,
    currency,
    toInt64(toInt32(max(booked_on))) AS last_day
FROM $database.ledger_postings
WHERE valid
GROUP BY tenant_id, currency
ORDER BY tenant_id, currency
