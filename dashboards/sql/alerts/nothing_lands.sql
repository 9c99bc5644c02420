-- Workers tell how they do every ten seconds, so something lands even when no customer does anything.
SELECT dateDiff('second', max(minute), $__toTime) AS value
FROM pipeline_minutes
WHERE $__timeFilter(minute)
