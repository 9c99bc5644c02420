-- One score of each account, drawn by the hash of its event, of those that were made at the moment that is asked for;
-- the features are empty when none of them has those of this catalogue.
SELECT
    argMin(probability, cityHash64(event_id)) AS score,
    argMinIf(features, cityHash64(event_id), features_hash = $hash AND length(features) = $columns) AS drawn
FROM $database.propensity_scores
WHERE tenant_id = $tenant AND model = $model AND type = 'propensity.scored' AND valid
    AND occurred_at >= $first AND occurred_at < $end AND account_id IN ($accounts)
    AND
    (
        $moment NOT IN ('issue', 'overdue')
        OR ($moment = 'issue' AND features_hash = $hash AND abs(features[$days_to_due] - features[$terms_days]) < 1)
        OR ($moment = 'overdue' AND features_hash = $hash AND features[$days_to_due] <= 0 AND features[$days_to_due] > -2)
    )
GROUP BY account_id
ORDER BY cityHash64(account_id), account_id
