-- Where in its order a table has how many rows, from its index.
SELECT tenant_id, account_id, sum(rows_in_granule)
FROM mergeTreeIndex($name_of_database, $name)
GROUP BY tenant_id, account_id
ORDER BY tenant_id, account_id
