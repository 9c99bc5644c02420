-- All events and decisions of a tenant, account by account in the order of arrival; a decision after the events of its instant.
SELECT account_id, toUnixTimestamp64Milli(known_at) AS known_ms, _topic, payload
FROM
(
    SELECT account_id, $known_at AS known_at, 0 AS ours, _topic, _offset, payload
    FROM $database.payment_events WHERE tenant_id = $tenant AND valid
    UNION ALL
    SELECT account_id, $known_at AS known_at, 0 AS ours, _topic, _offset, payload
    FROM $database.crm_events WHERE tenant_id = $tenant AND valid
    UNION ALL
    SELECT account_id, $known_at AS known_at, 0 AS ours, _topic, _offset, payload
    FROM $database.interaction_events WHERE tenant_id = $tenant AND valid
    UNION ALL
    SELECT account_id, $known_at AS known_at, 1 AS ours, _topic, _offset, payload
    FROM $database.next_best_actions WHERE tenant_id = $tenant AND valid
)
WHERE account_id != ''
ORDER BY account_id, known_ms, ours, _topic, _offset
