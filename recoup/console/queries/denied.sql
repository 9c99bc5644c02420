-- How often each rule denied something, in this hour (UTC) and the one before; a decision counts once for each channel.
SELECT tenant_id, rule, sum(denials) AS denied
FROM denials_hourly
WHERE hour >= toStartOfHour(now('UTC')) - INTERVAL 1 HOUR
GROUP BY tenant_id, rule
ORDER BY denied DESC, tenant_id, rule
LIMIT 200
