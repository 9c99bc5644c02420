-- The newest dead letters about one account; what they held is not asked for.
SELECT _topic, _partition, _offset, toUnixTimestamp64Milli(occurred_at), reason, `field`, detail
FROM $database.dead_letters
WHERE tenant_id = $tenant AND account_id = $account
ORDER BY occurred_at DESC, _offset DESC
LIMIT $most
