SELECT
    channel AS "Channel",
    sum(denials_hourly.denials) AS "Denials"
FROM denials_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND channel != '' AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY channel
ORDER BY "Denials" DESC
