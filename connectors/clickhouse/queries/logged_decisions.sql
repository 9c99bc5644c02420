-- A tenant's decisions as they were published, account by account; one that landed twice is one.
SELECT payload
FROM $database.next_best_actions
WHERE tenant_id = $tenant AND valid AND occurred_at >= $first AND occurred_at < $end
ORDER BY account_id, occurred_at, decision_no
LIMIT 1 BY account_id, decision_id
