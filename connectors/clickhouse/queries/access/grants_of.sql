-- A grant without a table is on the whole database.
SELECT ifNull(database, ''), ifNull(table, ''), toString(access_type)
FROM system.grants
WHERE role_name = $role AND NOT is_partial_revoke
