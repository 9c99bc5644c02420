-- A name that begins with a dot is the server's own, such as of a view that is being worked out anew.
SELECT name, engine, comment, sorting_key, partition_key, as_select
FROM system.tables
WHERE database = $name_of_database AND NOT is_temporary AND NOT startsWith(name, '.')
ORDER BY name
