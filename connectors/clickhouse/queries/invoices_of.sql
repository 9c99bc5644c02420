-- How many different invoices of a tenant have landed.
SELECT uniqExact(invoice_id)
FROM $database.payment_events
WHERE tenant_id = $tenant AND type = 'invoice.issued' AND valid
