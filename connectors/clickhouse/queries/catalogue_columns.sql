-- A name that begins with a dot is the server's own, such as of a view that is being worked out anew.
SELECT table, name, type, comment, default_kind
FROM system.columns
WHERE database = $name_of_database AND NOT startsWith(table, '.')
ORDER BY table, position
