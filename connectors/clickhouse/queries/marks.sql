-- How far each partition has landed, and its last block; answered from the projection `mark`, a row a partition and part.
SELECT _topic, _partition, max(_offset), argMax(_block, _offset), toUnixTimestamp64Milli(argMax(_block_at, _offset))
FROM $database.$table
WHERE _topic IN $topics
GROUP BY _topic, _partition
