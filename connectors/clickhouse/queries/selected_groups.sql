-- Of each value of each attribute that is no feature: accounts scored, accounts among the best, accounts contacted.
WITH
    newest AS
    (
        SELECT account_id, argMax(ifNull(probability, 0), (occurred_at, _offset)) AS score
        FROM $database.propensity_scores
        WHERE tenant_id = $tenant AND model = $model AND type = 'propensity.scored' AND valid
            AND occurred_at >= $first AND occurred_at < $end
        GROUP BY account_id
    ),
    known AS
    (
        -- An absent field is unchanged, an empty one is unknown from then on: only the payload tells them apart.
        SELECT
            account_id,
            argMaxIf(language, (occurred_at, _offset), JSONType(payload, 'language') = 'String') AS language,
            argMaxIf(country, (occurred_at, _offset), JSONType(payload, 'country') = 'String') AS country,
            argMaxIf(state, (occurred_at, _offset), JSONType(payload, 'state') = 'String') AS state,
            argMaxIf(segment, (occurred_at, _offset), JSONType(payload, 'segment') = 'String') AS segment,
            argMaxIf(debt_class, (occurred_at, _offset), JSONType(payload, 'debt_class') = 'String') AS debt_class
        FROM $database.crm_events
        WHERE tenant_id = $tenant AND type = 'account.updated' AND valid AND occurred_at < $end
        GROUP BY account_id
    )
SELECT attribute.1, attribute.2, count(), countIf(score >= $threshold), countIf(contacted)
FROM
(
    SELECT
        score,
        account_id IN
        (
            SELECT account_id
            FROM $database.contact_requests
            WHERE tenant_id = $tenant AND valid AND type = 'contact.requested'
                AND occurred_at >= $first AND occurred_at < $end
        ) AS contacted,
        [
            ('language', toString(language)),
            ('country', toString(country)),
            ('state', toString(state)),
            ('segment', toString(segment)),
            ('debt_class', toString(debt_class))
        ] AS attributes
    FROM newest
    LEFT JOIN known USING (account_id)
)
ARRAY JOIN attributes AS attribute
GROUP BY attribute
ORDER BY attribute.1, count() DESC, attribute.2
