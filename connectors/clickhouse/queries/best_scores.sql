-- The score that the best accounts have at least: of each account its newest.
SELECT count(), quantileExact($level)(score)
FROM
(
    SELECT argMax(ifNull(probability, 0), (occurred_at, _offset)) AS score
    FROM $database.propensity_scores
    WHERE tenant_id = $tenant AND model = $model AND type = 'propensity.scored' AND valid
        AND occurred_at >= $first AND occurred_at < $end
    GROUP BY account_id
)
