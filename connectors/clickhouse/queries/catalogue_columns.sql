SELECT table, name, type, comment, default_kind
FROM system.columns
WHERE database = $name_of_database AND NOT startsWith(table, '.inner')
ORDER BY table, position
