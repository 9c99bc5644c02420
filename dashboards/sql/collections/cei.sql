-- Over several tenants the parts are added first: the mean of two ratios is not their ratio.
WITH
    books AS
    (
        SELECT day, sum(open_minor) AS open, sum(current_minor) AS current
        FROM receivables_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND day >= toDate($__fromTime) - 30 AND day <= toDate($__toTime)
        GROUP BY day
    ),
    charges AS
    (
        SELECT day, sum(billed_minor + adjusted_minor - voided_minor - written_off_minor) AS charged
        FROM collections_daily
        WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND day >= toDate($__fromTime) - 30 AND day <= toDate($__toTime)
        GROUP BY day
    ),
    windows AS
    (
        SELECT
            books.day AS day,
            open,
            current,
            any(open) OVER (ORDER BY day ROWS BETWEEN 30 PRECEDING AND 30 PRECEDING) AS open_before,
            sum(charged) OVER (ORDER BY day ROWS BETWEEN 29 PRECEDING AND CURRENT ROW) AS charged_30d,
            row_number() OVER (ORDER BY day) AS known_days
        FROM books
        LEFT JOIN charges ON books.day = charges.day
    )
SELECT
    toDateTime(day, 'UTC') AS time,
    (open_before + charged_30d - open) / nullIf(open_before + charged_30d - current, 0) AS "Effectiveness"
FROM windows
WHERE known_days > 30 AND $__dateFilter(day)
ORDER BY day
