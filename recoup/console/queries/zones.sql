-- Each tenant's time zone, as it is in force.
SELECT tenant_id, argMax(time_zone, (_partition, _offset)) AS time_zone
FROM tenants
WHERE valid
GROUP BY tenant_id
