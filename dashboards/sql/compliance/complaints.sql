SELECT
    formatDateTime(toStartOfWeek(day, 1), '%d %b') AS "Week from",
    sum(complaints_daily.complaints) AS "Complaints",
    sum(complaints_daily.opt_outs) AS "Opt-outs"
FROM complaints_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND $__dateFilter(day)
GROUP BY toStartOfWeek(day, 1)
ORDER BY toStartOfWeek(day, 1)
