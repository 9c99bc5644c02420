-- What a tenant's customers have paid, in minor units by currency; a payment that was told twice counts once.
SELECT currency, sum(amount)
FROM
(
    SELECT payment_id, any(currency) AS currency, any(amount_minor) AS amount
    FROM $database.payment_events
    WHERE tenant_id = $tenant AND type = 'payment.received' AND valid
    GROUP BY payment_id
)
GROUP BY currency
ORDER BY currency
