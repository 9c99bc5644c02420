SELECT
    sumIf(open_minor, bucket = 'current') / ${minor_per_unit} AS "current",
    sumIf(open_minor, bucket = '1-30') / ${minor_per_unit} AS "1-30",
    sumIf(open_minor, bucket = '31-60') / ${minor_per_unit} AS "31-60",
    sumIf(open_minor, bucket = '61-90') / ${minor_per_unit} AS "61-90",
    sumIf(open_minor, bucket = '90+') / ${minor_per_unit} AS "90+"
FROM ageing_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote}
    AND day = (SELECT max(day) FROM ageing_daily WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote} AND $__dateFilter(day))
