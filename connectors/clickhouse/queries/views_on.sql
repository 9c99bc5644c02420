-- Which tables feed which views as rows land.
SELECT name, dependencies_table
FROM system.tables
WHERE database = $name_of_database AND notEmpty(dependencies_table)
