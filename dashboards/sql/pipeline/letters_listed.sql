SELECT
    tenant_id AS "Tenant",
    source_topic AS "Topic",
    reason AS "Reason",
    sum(dead_letters_hourly.letters) AS "Letters",
    max(hour) AS "Last hour"
FROM dead_letters_hourly
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY tenant_id, source_topic, reason
ORDER BY "Letters" DESC
LIMIT 30
