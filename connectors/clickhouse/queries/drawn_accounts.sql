-- Accounts that a model scored within a time, drawn by the hash of their id: the same ones whenever it is asked.
SELECT account_id
FROM $database.propensity_scores
WHERE tenant_id = $tenant AND model = $model AND type = 'propensity.scored' AND valid
    AND occurred_at >= $first AND occurred_at < $end
GROUP BY account_id
ORDER BY cityHash64(account_id), account_id
LIMIT $most
