SELECT DISTINCT tenant_id FROM collections_daily ORDER BY tenant_id
