-- Rows of a compacted topic that are not in it any more; few, since such topics are small.
INSERT INTO $database.$new $columns
SELECT $listed
FROM $database.$table
WHERE _topic = $topic AND _partition = $partition AND _offset <= $last
    AND _offset NOT IN (SELECT _offset FROM $database.$new WHERE _topic = $topic AND _partition = $partition)
