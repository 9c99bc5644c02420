-- Inserts that have begun and not ended. One that begins later sees the new owner.
SELECT query
FROM system.processes
WHERE startsWith(query, $beginning)
