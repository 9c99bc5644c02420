-- Every materialized view of the database, as it was made, and what it selects.
SELECT name, create_table_query, as_select
FROM system.tables
WHERE database = $name_of_database AND engine = 'MaterializedView'
ORDER BY name
