-- Net cash of a portfolio by day, and whether any of it came live, not as history that was loaded. A posting lands once.
SELECT
    toInt64(toInt32(booked_on)) AS day,
    sum(cash_minor) AS minor,
    max(NOT history AND cause = 'payment.received') AS live
FROM $database.ledger_postings
WHERE tenant_id = $tenant AND currency = $currency AND valid AND cash_minor != 0
GROUP BY booked_on
ORDER BY day
