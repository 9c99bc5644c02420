SELECT number, name, checksum, toString(applied_at)
FROM $database.migrations FINAL
ORDER BY number
