-- The tenants that anything has landed of, how many accounts each has, and how far their data go.
SELECT tenant_id, uniqExact(account_id), toUnixTimestamp64Milli(max(known_at))
FROM
(
    SELECT tenant_id, account_id, $known_at AS known_at FROM $database.payment_events WHERE valid
    UNION ALL
    SELECT tenant_id, account_id, $known_at AS known_at FROM $database.crm_events WHERE valid
    UNION ALL
    SELECT tenant_id, account_id, $known_at AS known_at FROM $database.interaction_events WHERE valid
)
WHERE account_id != ''
GROUP BY tenant_id
ORDER BY tenant_id
