-- The topics with the most rows have a colour of their own.
WITH most AS
    (
        SELECT topic
        FROM pipeline_minutes
        WHERE $__timeFilter(minute)
        GROUP BY topic
        ORDER BY sum(pipeline_minutes.rows) DESC
        LIMIT 7
    )
SELECT
    $__timeInterval(minute) AS time,
    if(topic IN (SELECT topic FROM most), topic, 'others') AS of,
    sum(pipeline_minutes.rows) / $__interval_s AS "Value"
FROM pipeline_minutes
WHERE $__timeFilter(minute)
GROUP BY time, of
ORDER BY time, of = 'others', of
