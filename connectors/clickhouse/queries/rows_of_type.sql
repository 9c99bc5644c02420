SELECT _topic, count()
FROM $database.$table
WHERE type = $type AND valid
GROUP BY _topic
