SELECT count()
FROM $database.$table
WHERE $condition
