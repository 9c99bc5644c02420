-- Tables of a name's beginning that nothing has changed for a day.
SELECT name
FROM system.tables
WHERE database = $name_of_database AND startsWith(name, $beginning) AND metadata_modification_time < now() - INTERVAL 1 DAY
