SELECT
    channel AS "Channel",
    sum(limits_near_hourly.decisions) AS "Decisions",
    sum(one_left) / nullIf(sum(limits_near_hourly.decisions), 0) AS "One left",
    sum(none_left) / nullIf(sum(limits_near_hourly.decisions), 0) AS "None left"
FROM limits_near_hourly
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY channel
ORDER BY "None left" DESC
