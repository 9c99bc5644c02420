INSERT INTO $database.migrations (number, name, checksum)
SETTINGS async_insert = 0
VALUES ($number, $name, $checksum)
