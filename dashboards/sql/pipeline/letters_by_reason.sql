-- The reasons that refuse most have a colour of their own; the table beside has all of them.
WITH most AS
    (
        SELECT reason
        FROM dead_letters_hourly
        WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
        GROUP BY reason
        ORDER BY sum(dead_letters_hourly.letters) DESC
        LIMIT 7
    )
SELECT
    toDateTime(hour, 'UTC') AS time,
    if(reason IN (SELECT reason FROM most), reason, 'others') AS why,
    sum(dead_letters_hourly.letters) AS "Value"
FROM dead_letters_hourly
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
GROUP BY hour, why
ORDER BY hour, why = 'others', why
