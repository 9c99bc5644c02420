SELECT sum(bytes_on_disk) AS "Stored"
FROM system.parts
WHERE active AND database = currentDatabase()
