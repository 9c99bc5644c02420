-- Accounts whose id begins with the text.
SELECT DISTINCT tenant_id, account_id
FROM payment_events
WHERE valid AND startsWith(account_id, {text:String})
ORDER BY account_id, tenant_id
LIMIT {most:UInt32}
