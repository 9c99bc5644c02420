-- Dead letters of a topic and reason (empty = of all), newest first; without what they hold.
SELECT
    concat(_topic, ':', toString(_partition), ':', toString(_offset)) AS at,
    toUnixTimestamp64Milli(_arrived_at) AS arrived_at,
    source_topic,
    tenant_id,
    account_id,
    reason,
    field,
    detail,
    attempt
FROM dead_letters
WHERE ({topic:String} = '' OR source_topic = {topic:String}) AND ({reason:String} = '' OR reason = {reason:String})
ORDER BY _arrived_at DESC, _topic, _partition, _offset DESC
LIMIT {most:UInt32} OFFSET {skip:UInt32}
