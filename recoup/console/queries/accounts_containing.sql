-- Accounts with the text anywhere in their id, in upper or lower case.
SELECT DISTINCT tenant_id, account_id
FROM payment_events
WHERE valid AND positionCaseInsensitiveUTF8(account_id, {text:String}) > 0
ORDER BY account_id, tenant_id
LIMIT {most:UInt32}
