SELECT policy_name, volume_name
FROM system.storage_policies
ORDER BY policy_name, volume_priority
