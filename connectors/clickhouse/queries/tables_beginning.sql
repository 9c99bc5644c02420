SELECT name
FROM system.tables
WHERE database = $name_of_database AND startsWith(name, $beginning)
