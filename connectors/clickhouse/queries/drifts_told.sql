-- The drift events that have landed since an instant.
SELECT event_id
FROM $database.customer_events
WHERE tenant_id = $tenant AND account_id = '' AND type = 'model.drifted' AND valid AND occurred_at >= $since
