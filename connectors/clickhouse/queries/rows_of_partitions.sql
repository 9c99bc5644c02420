SELECT _partition, uniqExact(_offset)
FROM $database.$table
WHERE _topic = $topic
GROUP BY _partition
