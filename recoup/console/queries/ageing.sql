-- What is open by ageing bucket now: at the last day that the view has, which is today in UTC.
SELECT
    tenant_id,
    currency,
    bucket_no,
    argMax(ageing_daily.bucket, day) AS name,
    argMax(ageing_daily.open_minor, day) AS open,
    argMax(ageing_daily.invoices, day) AS open_invoices
FROM ageing_daily
WHERE day >= toDate32(now('UTC')) - 1
GROUP BY tenant_id, currency, bucket_no
ORDER BY tenant_id, currency, bucket_no
