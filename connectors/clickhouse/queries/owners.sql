-- Who owns which partition of the topics.
SELECT topic, partition, max((epoch, owner))
FROM $database.owners
WHERE topic IN $topics
GROUP BY topic, partition
