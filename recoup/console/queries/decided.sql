-- How long decisions took in the last whole minutes, by the slowest worker.
SELECT max(to_result_ms_p50) AS p50, max(to_result_ms_p99) AS p99
FROM workers_minutes
WHERE job = 'decide' AND minute >= toStartOfMinute(now('UTC')) - INTERVAL 2 MINUTE
