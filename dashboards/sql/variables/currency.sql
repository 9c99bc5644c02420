SELECT currency
FROM collections_daily
WHERE $__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant)
GROUP BY currency
ORDER BY sum(payments) DESC, currency
