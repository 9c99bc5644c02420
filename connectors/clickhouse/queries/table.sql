-- What is known of a table: the views that depend on it, how it was made, its settings.
SELECT length(dependencies_table), create_table_query, engine_full
FROM system.tables
WHERE database = $name_of_database AND name = $name
