-- The newest messages about one account in a table.
SELECT _topic, _partition, _offset, toUnixTimestamp64Milli(occurred_at), type, payload
FROM $database.$table
WHERE tenant_id = $tenant AND account_id = $account AND valid
ORDER BY occurred_at DESC, _offset DESC
LIMIT $most
