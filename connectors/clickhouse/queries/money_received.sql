-- Money that came to a tenant's accounts and what of it went back (negative, with the time at which it had come).
-- A payment or a reversal that was told twice counts once.
SELECT account_id, toUnixTimestamp64Milli(at) AS at_ms, currency, amount, toUnixTimestamp64Milli(paid_at) AS paid_ms
FROM
(
    SELECT
        account_id,
        payment_id,
        min(occurred_at) AS at,
        argMin(currency, occurred_at) AS currency,
        argMin(amount_minor, occurred_at) AS amount,
        CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS paid_at
    FROM $database.payment_events
    WHERE tenant_id = $tenant AND type = 'payment.received' AND valid AND occurred_at >= $first
    GROUP BY account_id, payment_id
    UNION ALL
    SELECT
        account_id,
        payment_id,
        reversed.at AS at,
        reversed.currency AS currency,
        -reversed.amount AS amount,
        toNullable(paid.at) AS paid_at
    FROM
    (
        SELECT
            account_id,
            reversal_id,
            argMin(payment_id, occurred_at) AS payment_id,
            min(occurred_at) AS at,
            argMin(currency, occurred_at) AS currency,
            argMin(amount_minor, occurred_at) AS amount
        FROM $database.payment_events
        WHERE tenant_id = $tenant AND type = 'payment.reversed' AND valid AND occurred_at >= $first
        GROUP BY account_id, reversal_id
    ) AS reversed
    INNER JOIN
    (
        SELECT account_id, payment_id, min(occurred_at) AS at
        FROM $database.payment_events
        WHERE tenant_id = $tenant AND type = 'payment.received' AND valid AND occurred_at >= $first
        GROUP BY account_id, payment_id
    ) AS paid
    USING (account_id, payment_id)
)
ORDER BY account_id, at_ms, currency, amount
