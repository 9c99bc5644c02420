-- Dead letters by the topic that they belong to and the reason.
SELECT
    source_topic,
    reason,
    count() AS letters,
    countIf(concat(_topic, ':', toString(_partition), ':', toString(_offset)) IN {replayed:Array(String)}) AS replayed,
    toUnixTimestamp64Milli(max(_arrived_at)) AS newest
FROM dead_letters
GROUP BY source_topic, reason
ORDER BY letters DESC, source_topic, reason
