-- How the views that are worked out anew stand.
SELECT view, status, toUnixTimestamp(last_success_time), ifNull(last_success_duration_ms, 0), exception, toUnixTimestamp(now())
FROM system.view_refreshes
WHERE database = $name_of_database
