-- Which table `owners` is: another one in another database, or in a copy of this one.
SELECT uuid
FROM system.tables
WHERE database = $name_of_database AND name = 'owners'
