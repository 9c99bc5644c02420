SELECT
    formatDateTime(hour, '%H:00') AS "Hour (UTC)",
    sum(denials_hourly.denials) AS "Denials"
FROM denials_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY "Hour (UTC)"
ORDER BY "Hour (UTC)"
