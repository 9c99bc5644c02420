-- An account that a contact was requested for, one with a longer story before others.
SELECT tenant_id, account_id
FROM $database.contact_requests
GROUP BY tenant_id, account_id
ORDER BY count() DESC, tenant_id, account_id
LIMIT 1
