SELECT toDateTime(week, 'UTC') AS time, sum(contacts_left) / nullIf(sum(contacts_left + contacts_made), 0) AS "Unused"
FROM allowance_weekly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__dateFilter(week)
GROUP BY week
ORDER BY week
