-- A tenant's settings in force.
SELECT payload
FROM $database.tenants
WHERE tenant_id = $tenant AND valid
ORDER BY _partition DESC, _offset DESC
LIMIT 1
