-- The messages of some partitions of a topic as they came, in the order of its log.
SELECT _partition, _offset, payload
FROM $database.$table
WHERE _partition IN $partitions
ORDER BY _partition, _offset
