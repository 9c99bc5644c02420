-- Rows that the topic does not hold any more.
INSERT INTO $database.$new $columns
SELECT $listed
FROM $database.$table
WHERE _topic = $topic AND _partition = $partition AND _offset < $before
