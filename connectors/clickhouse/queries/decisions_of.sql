-- Every decision on a tenant's accounts and what was chosen, in an order of its own.
SELECT decision_id, action
FROM $database.next_best_actions
WHERE tenant_id = $tenant AND valid
ORDER BY decision_id, action
