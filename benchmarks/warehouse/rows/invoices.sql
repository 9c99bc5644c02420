-- Invoice `number`, and all that is known of it: whose, when, how likely it is paid, when it is paid, what was decided on it.
-- Invoices come one after the other over the whole time, so that rows land in about the order in which they happen.
SELECT
    number AS i,
    cityHash64(i, 'account') % $accounts AS n,
    if(n % 10 < 7, 'acme', 'globex') AS tenant_id,
    concat('a', toString(n)) AS account_id,
    multiIf(n % 10 < 7, 'EUR', n % 10 = 9, 'GBP', 'USD') AS currency,
    concat('i', toString(i)) AS invoice,
    toInt64(1000 + cityHash64(i, 'amount') % 200000) AS amount,
    toInt64($start_ms + i * $step_ms) AS issued_ms,
    toInt64($now_ms) AS now_ms,
    toInt64(86400000) AS day_ms,
    issued_ms + 30 * day_ms AS due_ms,
    toDate32(fromUnixTimestamp64Milli(due_ms, 'UTC')) AS due,
    toDate32(fromUnixTimestamp64Milli(issued_ms, 'UTC')) AS issued_day,
    0.25 + (cityHash64(n, 'pays') % 700) / 1000 AS p,
    (cityHash64(i, 'paid') % 1000) / 1000 < p AS paid,
    -- Most pay about the due day, some much later.
    due_ms + toInt64(day_ms * (-10 + (cityHash64(i, 'late') % 2000) / 100 + if(cityHash64(i, 'much') % 4 = 0, 45, 0))) AS paid_ms,
    paid AND paid_ms <= now_ms AS has_paid,
    concat('acme-baseline-', toString(1 + (issued_ms > now_ms - 200 * day_ms))) AS model,
    -- Decisions on it while it is unpaid: a week before it is due, when it is due, and after it.
    arrayFilter(
        d -> d.2 <= now_ms AND (NOT paid OR d.2 < paid_ms) AND cityHash64(i, d.1, 'decides') % 10 < 7,
        arrayMap(j -> (toUInt8(j), due_ms + toInt64(day_ms * (-7 + j * 9)) + toInt64(cityHash64(i, j, 'hour') % 36000000)), range(4))) AS decisions,
    arrayMap(d -> cityHash64(i, d.1, 'contact') % 10 < 5, decisions) AS contacts,
    arrayMap(d -> ['email', 'sms', 'call', 'letter'][1 + cityHash64(i, d.1, 'channel') % 4], decisions) AS channels
FROM numbers($first, $count)
