-- The columns that an insert may name.
SELECT name
FROM system.columns
WHERE database = $name_of_database AND table = $name AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')
ORDER BY position
