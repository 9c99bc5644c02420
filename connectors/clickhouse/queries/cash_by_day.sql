-- Net cash of a portfolio by day, and whether any of it came live, not as history that was loaded.
SELECT
    toInt64(toInt32(booked_on)) AS day,
    sum(cash_minor) AS minor,
    max(NOT history AND cause = 'payment.received') AS live
FROM
(
    SELECT booked_on, cash_minor, history, cause
    FROM $database.ledger_postings
    WHERE tenant_id = $tenant AND currency = $currency AND valid AND cash_minor != 0
    LIMIT 1 BY account_id, event_id
)
GROUP BY booked_on
ORDER BY day
