SELECT
    tenant_id AS "Tenant",
    account_id AS "Account",
    overdue_minor / ${minor_per_unit} AS "Overdue",
    open_minor / ${minor_per_unit} AS "Open",
    days_past_due AS "Days past due",
    oldest_due_on AS "Oldest due on",
    on_account_minor / ${minor_per_unit} AS "Credit"
FROM most_overdue
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant) AND currency = ${currency:singlequote}
ORDER BY overdue_minor DESC
LIMIT 25
