-- What is open by ageing bucket, at the last day that is known of each tenant, currency and bucket.
SELECT
    tenant_id,
    currency,
    bucket_no,
    argMax(ageing_daily.bucket, day) AS name,
    argMax(ageing_daily.open_minor, day) AS open,
    argMax(ageing_daily.invoices, day) AS open_invoices
FROM ageing_daily
GROUP BY tenant_id, currency, bucket_no
ORDER BY tenant_id, currency, bucket_no
