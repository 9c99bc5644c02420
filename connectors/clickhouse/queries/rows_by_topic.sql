-- The rows of each topic in a table, and their different places in Kafka.
SELECT _topic, count(), uniqExact(_partition, _offset)
FROM $database.$table
GROUP BY _topic
