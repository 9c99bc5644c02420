-- What came in on each of the last days of the tenants' calendars, which may be a day ahead of UTC's.
SELECT tenant_id, currency, toString(day) AS on_day, sum(collected_minor) AS collected
FROM collections_daily
WHERE day >= toDate(now('UTC')) - 15
GROUP BY tenant_id, currency, day
