-- One score of each invoice whose horizon may have passed: the first where the due date settles it, else a drawn one.
SELECT
    account_id,
    invoice_id,
    argMin((toUnixTimestamp64Milli(occurred_at), ifNull(horizon_days, 0), target, ifNull(probability, 0)), rank)
FROM
(
    SELECT
        account_id,
        invoice_id,
        occurred_at,
        horizon_days,
        target,
        probability,
        if(target = 'paid_by_due', toUInt64(toUnixTimestamp64Milli(occurred_at)), cityHash64(event_id)) AS rank
    FROM $database.propensity_scores
    WHERE tenant_id = $tenant AND model = $model AND type = 'propensity.scored' AND valid AND invoice_id != ''
        AND occurred_at >= $first AND occurred_at < $end AND account_id IN ($accounts)
)
GROUP BY account_id, invoice_id
ORDER BY account_id, invoice_id
