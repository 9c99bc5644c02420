-- The messages of a topic as they came, in the order of its log.
SELECT _partition, _offset, payload
FROM $database.$table
ORDER BY _partition, _offset
