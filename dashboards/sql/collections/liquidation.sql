-- A month of placement is a row; what has not happened yet stays empty.
SELECT
    formatDateTime(placed_month, '%Y-%m') AS "Placed in",
    sumIf(placed_minor, months_since = 0) / ${minor_per_unit} AS "Placed",
    sumIf(cumulative_collected_minor, months_since = 0) / nullIf(sumIf(placed_minor, months_since = 0), 0) AS "same month",
    sumIf(cumulative_collected_minor, months_since = 1) / nullIf(sumIf(placed_minor, months_since = 1), 0) AS "1 later",
    sumIf(cumulative_collected_minor, months_since = 2) / nullIf(sumIf(placed_minor, months_since = 2), 0) AS "2 later",
    sumIf(cumulative_collected_minor, months_since = 3) / nullIf(sumIf(placed_minor, months_since = 3), 0) AS "3 later",
    sumIf(cumulative_collected_minor, months_since = 4) / nullIf(sumIf(placed_minor, months_since = 4), 0) AS "4 later",
    sumIf(cumulative_collected_minor, months_since = 5) / nullIf(sumIf(placed_minor, months_since = 5), 0) AS "5 later",
    sumIf(cumulative_collected_minor, months_since = 6) / nullIf(sumIf(placed_minor, months_since = 6), 0) AS "6 later"
FROM liquidation
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote}
GROUP BY placed_month
ORDER BY placed_month DESC
LIMIT 12
