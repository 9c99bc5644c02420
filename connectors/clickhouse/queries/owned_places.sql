-- Every partition of the topics that anybody has ever claimed.
SELECT DISTINCT topic, partition
FROM $database.owners
WHERE topic IN $topics
