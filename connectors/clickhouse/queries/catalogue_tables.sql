SELECT name, engine, comment, sorting_key, partition_key, as_select
FROM system.tables
WHERE database = $name_of_database AND NOT is_temporary AND NOT startsWith(name, '.inner')
ORDER BY name
