SELECT tenant_id AS tenant, 1000 * sum(complaints_daily.complaints) / sum(complaints_daily.contacts) AS value
FROM complaints_daily
WHERE $__dateFilter(day)
GROUP BY tenant_id
HAVING sum(complaints_daily.contacts) >= 1000
ORDER BY tenant
