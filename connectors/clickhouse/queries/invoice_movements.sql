-- What moved on each invoice of a portfolio, by day: what opened, what money paid (less what came back), what was credited.
-- Identities are hashes: nothing is told of who owes. Days are days since 1970-01-01 on the tenant's calendar. A posting
-- lands once.
SELECT
    cityHash64(account_id) AS account,
    cityHash64(account_id, line.invoice_id) AS invoice,
    toInt64(toInt32(booked_on)) AS day,
    toInt64(toInt32(min(line.due_on))) AS due,
    sumIf(line.amount_minor, NOT by_money AND line.opened = 1) AS opened_minor,
    sumIf(-line.amount_minor, by_money) AS paid_minor,
    sumIf(-line.amount_minor, NOT by_money AND line.opened != 1) AS credited_minor
FROM
(
    SELECT account_id, booked_on, cause IN ('payment.received', 'payment.reversed') AS by_money, lines
    FROM $database.ledger_postings
    WHERE tenant_id = $tenant AND currency = $currency AND valid AND notEmpty(lines)
)
ARRAY JOIN lines AS line
WHERE toInt32(line.due_on) >= $due_since
GROUP BY account_id, line.invoice_id, booked_on
ORDER BY invoice, day
