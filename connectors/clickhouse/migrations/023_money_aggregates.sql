-- Money by day, by age and by account: targets that fill as postings land, and the views that people read.
--
-- Targets have no partitions. A block that lands is then one part of each target and one entry in its log of tokens, as
-- in the table itself, so a view that was cut short is completed and never filled twice however often the block is sent.
-- Nothing removes rows from a target: what retention takes from ledger_postings stays counted here.

-- Ordered by what every question names first. A tenant has some hundred days in some currencies: it fits into a granule
-- or two, and the states of paying_accounts are read only by who asks for them.
CREATE TABLE IF NOT EXISTS collections_daily_states
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of every amount of the row.',
    day Date32 COMMENT 'The day the event occurred on, on the tenant''s calendar.',
    billed_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what was invoiced; minor units.',
    collected_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of money received; minor units.',
    reversed_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of money that went back; minor units, positive.',
    adjusted_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of debit notes less credit notes; minor units.',
    voided_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what voided invoices asked for; minor units, positive.',
    written_off_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what was open of invoices when they were written off; minor units, positive.',
    recovered_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the money received, less what went back, on invoices that had been written off; minor units.',
    on_account_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the changes of credit that is on no issued invoice; minor units, positive = in the customers'' favour.',
    payments SimpleAggregateFunction(sum, UInt64) COMMENT 'Payments received.',
    paying_accounts AggregateFunction(uniqExact, UInt64) COMMENT 'State of the different accounts that paid, each as the 64-bit SipHash of its id.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, currency, day)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums of ledger_postings that collections_daily and receivables_daily are read from. One or more rows a tenant, currency and day, until they are merged.';

-- What an event of an invoice asked for or took away, whatever of it money had met already: the change of what is open,
-- less the credit that it moved, plus the cash (which such an event has not).
CREATE MATERIALIZED VIEW IF NOT EXISTS collections_daily_from_ledger_postings TO collections_daily_states AS
SELECT
    tenant_id,
    currency,
    assumeNotNull(booked_on) AS day,
    sumIf(charged, cause = 'invoice.issued') AS billed_minor,
    sumIf(cash, cause = 'payment.received') AS collected_minor,
    -sumIf(cash, cause = 'payment.reversed') AS reversed_minor,
    sumIf(charged, cause = 'invoice.adjusted') AS adjusted_minor,
    -sumIf(charged, cause = 'invoice.voided') AS voided_minor,
    -sumIf(charged, cause = 'invoice.written_off') AS written_off_minor,
    sum(recovered) AS recovered_minor,
    sum(credit) AS on_account_minor,
    countIf(cause = 'payment.received' AND cash > 0) AS payments,
    uniqExactStateIf(sipHash64(account_id), cause = 'payment.received' AND cash > 0) AS paying_accounts
FROM
(
    SELECT
        tenant_id,
        currency,
        booked_on,
        cause,
        account_id,
        ifNull(cash_minor, 0) AS cash,
        ifNull(on_account_minor, 0) AS credit,
        ifNull(recovered_minor, 0) AS recovered,
        arraySum(lines.amount_minor) - credit + cash - recovered AS charged
    FROM ledger_postings
    WHERE valid
)
GROUP BY tenant_id, currency, day
COMMENT 'Internal: fills collections_daily_states as postings land.';

CREATE VIEW IF NOT EXISTS collections_daily
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of every amount of the row.',
    day Date32 COMMENT 'The day the event occurred on, on the tenant''s calendar. Days without any are left out.',
    billed_minor Int64 COMMENT 'What was invoiced: sum of the amounts of invoice.issued; minor units. An invoice that was told as voided or written off before it was told as issued is left out here and there.',
    collected_minor Int64 COMMENT 'Cash received: sum of the amounts of payment.received; minor units. What went back is not taken off: see reversed_minor.',
    reversed_minor Int64 COMMENT 'Cash that went back (refund, chargeback, return): sum of the amounts of payment.reversed, on the day of the reversal; minor units, positive.',
    adjusted_minor Int64 COMMENT 'Debit notes less credit notes on invoices; minor units, negative = more was credited. Notes on invoices that were voided or written off before change nothing and are left out.',
    voided_minor Int64 COMMENT 'What voided invoices had asked for, on the day they were voided; minor units, positive.',
    written_off_minor Int64 COMMENT 'What was open of invoices when they were written off; minor units, positive.',
    recovered_minor Int64 COMMENT 'The part of the cash, less what went back, that went onto invoices written off before; minor units. It is in collected_minor too.',
    payments UInt64 COMMENT 'Payments received; a payment in several messages is one.',
    paying_accounts UInt64 COMMENT 'Different accounts that paid on that day. Does not add up over days: an account may pay on several.'
)
AS SELECT
    tenant_id,
    currency,
    day,
    sum(collections_daily_states.billed_minor) AS billed_minor,
    sum(collections_daily_states.collected_minor) AS collected_minor,
    sum(collections_daily_states.reversed_minor) AS reversed_minor,
    sum(collections_daily_states.adjusted_minor) AS adjusted_minor,
    sum(collections_daily_states.voided_minor) AS voided_minor,
    sum(collections_daily_states.written_off_minor) AS written_off_minor,
    sum(collections_daily_states.recovered_minor) AS recovered_minor,
    sum(collections_daily_states.payments) AS payments,
    uniqExactMerge(collections_daily_states.paying_accounts) AS paying_accounts
FROM collections_daily_states
GROUP BY tenant_id, currency, day
COMMENT 'What was billed, collected and taken off by day. One row a tenant, currency and day of the tenant''s calendar. Left out: messages that break their contract, repeated events, unknown tenants.';

-- -- age --------------------------------------------------------------------------------------------------------------

-- A few rows a day whatever the portfolio's size: a year of a tenant is read in a millisecond.
CREATE TABLE IF NOT EXISTS ageing_daily_states
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of open_minor.',
    day Date32 COMMENT 'The day on which the amount enters (positive) or leaves (negative) the bracket, on the tenant''s calendar; also days to come.',
    bracket Int8 COMMENT '-1 = due in 30 days or later, 0 = due within 29 days or today, 1 = 1 to 30 days past due, 2 = 31 to 60, 3 = 61 to 90, 4 = 91 to 120, 5 = over 120.',
    open_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the changes of what is open in the bracket; minor units.',
    invoices SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the changes of the number of open invoices in the bracket.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, currency, day, bracket)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: the movements between brackets of age that every snapshot of receivables is a running sum of. One or more rows a tenant, currency, day and bracket, until they are merged.';

-- An amount that was booked on a day for an invoice enters the bracket that the invoice is in on that day. On each later
-- day on which the invoice comes into the next bracket, the amount moves with it: those days are known from the due date,
-- so they are written down at once. Movements of one due date in a block are added up before they are multiplied.
CREATE MATERIALIZED VIEW IF NOT EXISTS ageing_daily_from_ledger_postings TO ageing_daily_states AS
WITH
    [-29, 1, 31, 61, 91, 121] AS thresholds,
    arrayFilter(n -> addDays(due, thresholds[n]) > booked, [1, 2, 3, 4, 5, 6]) AS ahead
SELECT
    tenant_id,
    currency,
    movement.1 AS day,
    movement.2 AS bracket,
    sum(movement.3) AS open_minor,
    sum(movement.4) AS invoices
FROM
(
    SELECT
        tenant_id,
        currency,
        assumeNotNull(booked_on) AS booked,
        line.due_on AS due,
        sum(line.amount_minor) AS amount,
        sum(toInt64(line.opened)) AS opened
    FROM ledger_postings
    ARRAY JOIN lines AS line
    WHERE valid
    GROUP BY tenant_id, currency, booked, due
)
ARRAY JOIN
    arrayConcat(
        [(booked, toInt8(5 - length(ahead)), amount, opened)],
        arrayMap(n -> (addDays(due, thresholds[n]), toInt8(n - 2), -amount, -opened), ahead),
        arrayMap(n -> (addDays(due, thresholds[n]), toInt8(n - 1), amount, opened), ahead)
    ) AS movement
GROUP BY tenant_id, currency, day, bracket
COMMENT 'Internal: fills ageing_daily_states as postings land.';

CREATE VIEW IF NOT EXISTS ageing_brackets_daily
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of open_minor.',
    day Date32 COMMENT 'The day at whose end it is so, on the tenant''s calendar; every day from the first booking to today in UTC.',
    bracket Int8 COMMENT '-1 = due in 30 days or later, 0 = due within 29 days or today, 1 = 1 to 30 days past due, 2 = 31 to 60, 3 = 61 to 90, 4 = 91 to 120, 5 = over 120.',
    open_minor Int64 COMMENT 'What is open of invoices in the bracket: what was booked up to and with that day; minor units. Credit on account is not taken off.',
    invoices Int64 COMMENT 'Open invoices in the bracket.'
)
AS SELECT
    tenant_id,
    currency,
    day,
    bracket,
    sum(moved_minor) OVER running AS open_minor,
    sum(moved) OVER running AS invoices
FROM
(
    SELECT tenant_id, currency, day, bracket, sum(open_minor) AS moved_minor, sum(invoices) AS moved
    FROM
    (
        SELECT tenant_id, currency, day, bracket, open_minor, invoices
        FROM ageing_daily_states
        WHERE day <= toDate32(now('UTC'))
        UNION ALL
        -- Every bracket of every day, so that a day without movement has its row too.
        SELECT tenant_id, currency, addDays(first, number) AS day, bracket, 0 AS open_minor, 0 AS invoices
        FROM
        (
            SELECT tenant_id, currency, min(day) AS first
            FROM ageing_daily_states
            GROUP BY tenant_id, currency
        )
        ARRAY JOIN range(toUInt64(greatest(0, dateDiff('day', first, toDate32(now('UTC'))) + 1))) AS number
        ARRAY JOIN CAST([-1, 0, 1, 2, 3, 4, 5], 'Array(Int8)') AS bracket
    )
    GROUP BY tenant_id, currency, day, bracket
)
WINDOW running AS (PARTITION BY tenant_id, currency, bracket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
COMMENT 'Receivables at the end of each day in the seven brackets of age that the buckets of ageing_daily and roll_rates_daily are made of. One row a tenant, currency, day and bracket. An event that arrives late is booked on the day it occurred, so past days can change.';

CREATE VIEW IF NOT EXISTS ageing_daily
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of open_minor.',
    day Date32 COMMENT 'The day at whose end it is so, on the tenant''s calendar; every day from the first booking to today in UTC.',
    bucket String COMMENT 'Days past due at the end of the day: current (not due, or due that day), 1-30, 31-60, 61-90, 90+.',
    bucket_no UInt8 COMMENT 'Order of the buckets: 0 = current to 4 = 90+.',
    open_minor Int64 COMMENT 'What is open of the bucket''s invoices; minor units. Credit on account is not taken off. Left out: written-off and voided invoices.',
    invoices Int64 COMMENT 'Open invoices in the bucket.'
)
AS SELECT
    tenant_id,
    currency,
    day,
    ['current', '1-30', '31-60', '61-90', '90+'][bucket_no + 1] AS bucket,
    toUInt8(least(greatest(bracket, 0), 4)) AS bucket_no,
    sum(ageing_brackets_daily.open_minor) AS open_minor,
    sum(ageing_brackets_daily.invoices) AS invoices
FROM ageing_brackets_daily
GROUP BY tenant_id, currency, day, bucket_no
COMMENT 'Receivables by age at the end of each day. One row a tenant, currency, day and bucket, also where nothing is open. An event that arrives late is booked on the day it occurred, so past days can change.';

CREATE VIEW IF NOT EXISTS roll_rates_daily
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts.',
    day Date32 COMMENT 'The day at whose end to_minor is measured, on the tenant''s calendar; from 30 days after the first booking to today in UTC.',
    from_bucket String COMMENT 'Bucket 30 days before. current: only what was due within 29 days, for that is what can be 1 to 30 days past due now.',
    to_bucket String COMMENT 'The next bucket, in which all that stayed open is now. 90+: only 91 to 120 days past due.',
    from_minor Int64 COMMENT 'Open in from_bucket at the end of the day 30 days before; minor units.',
    to_minor Int64 COMMENT 'Open in to_bucket at the end of the day; minor units. Buckets are 30 days wide, so it is what is left of from_minor; in 1-30 it is also what was billed since and is due already.',
    rate Nullable(Float64) COMMENT 'to_minor / from_minor: the share that was not paid, 0 to 1. Over 1 from current where terms are shorter than 30 days; null where nothing was open before.'
)
AS SELECT
    tenant_id,
    currency,
    day,
    ['current', '1-30', '31-60', '61-90'][step + 1] AS from_bucket,
    ['1-30', '31-60', '61-90', '90+'][step + 1] AS to_bucket,
    sumIf(open_minor, was) AS from_minor,
    sumIf(open_minor, NOT was) AS to_minor,
    if(from_minor > 0, to_minor / from_minor, NULL) AS rate
FROM
(
    SELECT
        tenant_id,
        currency,
        open_minor,
        as_what.1 AS was,
        as_what.2 AS day,
        as_what.3 AS step
    FROM ageing_brackets_daily
    ARRAY JOIN [(true, addDays(ageing_brackets_daily.day, 30), bracket), (false, ageing_brackets_daily.day, bracket - 1)] AS as_what
    WHERE bracket >= 0
)
WHERE step >= 0 AND step <= 3 AND day <= toDate32(now('UTC'))
GROUP BY tenant_id, currency, day, step
-- Not yet 30 days after the first booking: nothing is known of before.
HAVING countIf(was) > 0
COMMENT 'Net flow between buckets of age: of what was open 30 days before, which share is open in the next bucket. One row a tenant, currency, day and pair of buckets.';

CREATE VIEW IF NOT EXISTS receivables_daily
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of every amount of the row.',
    day Date32 COMMENT 'The day at whose end it is so, on the tenant''s calendar; every day from the first booking to today in UTC.',
    open_minor Int64 COMMENT 'What is open of all invoices; minor units. Credit on account is not taken off. Left out: written-off and voided invoices.',
    current_minor Int64 COMMENT 'Of open_minor, not due yet or due that day; minor units.',
    overdue_minor Int64 COMMENT 'Of open_minor, past due; minor units.',
    on_account_minor Int64 COMMENT 'Credit that is on no issued invoice; minor units, negative = more went back than was on account.',
    billed_90d_minor Int64 COMMENT 'Invoiced on that day and the 89 days before; minor units. Adjustments and voids are not taken off.',
    dso_days Nullable(Float64) COMMENT 'Days sales outstanding: open_minor / billed_90d_minor x 90. Null where nothing was billed in 90 days. Too high in the first 90 days of a tenant''s data.',
    cei_30d Nullable(Float64) COMMENT 'Collection effectiveness over 30 days, 0 to 1: (open 30 days before + charged - open_minor) / (open 30 days before + charged - current_minor), where charged is what was billed in those days, plus adjusted, less voided and written off, so that only money counts as collected. Null where nothing was to be collected.'
)
AS SELECT
    tenant_id,
    currency,
    day,
    open_minor,
    current_minor,
    open_minor - current_minor AS overdue_minor,
    on_account_minor,
    billed_90d_minor,
    if(billed_90d_minor > 0, open_minor / billed_90d_minor * 90, NULL) AS dso_days,
    if(to_collect > current_minor, (to_collect - open_minor) / (to_collect - current_minor), NULL) AS cei_30d
FROM
(
    SELECT
        *,
        charged_30d
            + lagInFrame(open_minor, 30, toInt64(0))
                OVER (PARTITION BY tenant_id, currency ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS to_collect
    FROM
    (
        SELECT
            tenant_id,
            currency,
            day,
            sum(opened) OVER running AS open_minor,
            sum(current) OVER running AS current_minor,
            sum(credit) OVER running AS on_account_minor,
            sum(billed) OVER (PARTITION BY tenant_id, currency ORDER BY day ROWS BETWEEN 89 PRECEDING AND CURRENT ROW) AS billed_90d_minor,
            sum(charged) OVER (PARTITION BY tenant_id, currency ORDER BY day ROWS BETWEEN 29 PRECEDING AND CURRENT ROW) AS charged_30d
        FROM
        (
            SELECT
                tenant_id,
                currency,
                day,
                sum(opened) AS opened,
                sum(current) AS current,
                sum(credit) AS credit,
                sum(billed) AS billed,
                sum(charged) AS charged
            FROM
            (
                SELECT
                    tenant_id,
                    currency,
                    day,
                    open_minor AS opened,
                    if(bracket <= 0, open_minor, 0) AS current,
                    0 AS credit,
                    0 AS billed,
                    0 AS charged
                FROM ageing_daily_states
                WHERE day <= toDate32(now('UTC'))
                UNION ALL
                SELECT
                    tenant_id,
                    currency,
                    day,
                    0 AS opened,
                    0 AS current,
                    on_account_minor AS credit,
                    billed_minor AS billed,
                    billed_minor + adjusted_minor - voided_minor - written_off_minor AS charged
                FROM collections_daily_states
                WHERE day <= toDate32(now('UTC'))
                UNION ALL
                -- Every day, so that the windows below count days.
                SELECT tenant_id, currency, addDays(first, number) AS day, 0 AS opened, 0 AS current, 0 AS credit, 0 AS billed, 0 AS charged
                FROM
                (
                    SELECT tenant_id, currency, min(day) AS first
                    FROM collections_daily_states
                    GROUP BY tenant_id, currency
                )
                ARRAY JOIN range(toUInt64(greatest(0, dateDiff('day', first, toDate32(now('UTC'))) + 1))) AS number
            )
            GROUP BY tenant_id, currency, day
        )
        WINDOW running AS (PARTITION BY tenant_id, currency ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
)
COMMENT 'What is owed at the end of each day, and how well it comes in. One row a tenant, currency and day.';

-- -- cohorts ----------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS liquidation_states
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts.',
    placed_month Date32 COMMENT 'First day of the month in which the debt was placed, or without a placement its invoice issued; the tenant''s calendar.',
    month Date32 COMMENT 'First day of the month in which the event occurred; the tenant''s calendar.',
    placed_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what became open by invoices, debit and credit notes and voids; minor units.',
    collected_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what payments, less reversals, paid of it; minor units.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, currency, placed_month, month)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums of ledger_postings by month of placement that liquidation is read from. One or more rows a tenant, currency and pair of months, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS liquidation_from_ledger_postings TO liquidation_states AS
SELECT
    tenant_id,
    currency,
    -- toStartOfMonth knows no month before 1970 or after 2149.
    subtractDays(line.placed_on, toDayOfMonth(line.placed_on) - 1) AS placed_month,
    subtractDays(assumeNotNull(booked_on), toDayOfMonth(assumeNotNull(booked_on)) - 1) AS month,
    sumIf(line.amount_minor, cause IN ('invoice.issued', 'invoice.adjusted', 'invoice.voided')) AS placed_minor,
    -sumIf(line.amount_minor, cause IN ('payment.received', 'payment.reversed')) AS collected_minor
FROM ledger_postings
ARRAY JOIN lines AS line
WHERE valid
GROUP BY tenant_id, currency, placed_month, month
COMMENT 'Internal: fills liquidation_states as postings land.';

CREATE VIEW IF NOT EXISTS liquidation
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts.',
    placed_month Date32 COMMENT 'First day of the month in which the debt was placed, or without a placement its invoice issued; the tenant''s calendar. As it was known when each event was booked: tell placements before the money comes.',
    months_since UInt16 COMMENT 'Calendar months from placed_month to the month in which the money came, from 0; every month up to the present one in UTC has a row. Money that came before the placement counts in 0.',
    placed_minor Int64 COMMENT 'What was placed in placed_month, as known today: what became open by invoices, plus debit, less credit notes and voids; minor units. What credit on account paid at once is left out. Money that a void, a credit note or a late invoice moves from one invoice to another changes this of both cohorts, and not collected_minor; over all cohorts the totals are right. The same in every row of the month: do not add it up.',
    collected_minor Int64 COMMENT 'What payments, less reversals, paid of it in that month; minor units. Money that moves to an invoice of another cohort later stays here.',
    cumulative_collected_minor Int64 COMMENT 'Sum of collected_minor from month 0 to this one; minor units.',
    cumulative_rate Nullable(Float64) COMMENT 'cumulative_collected_minor / placed_minor, 0 to 1; null where nothing is placed any more.'
)
AS SELECT
    tenant_id,
    currency,
    placed_month,
    months_since,
    sum(placed) OVER (PARTITION BY tenant_id, currency, placed_month) AS placed_minor,
    collected AS collected_minor,
    sum(collected) OVER (PARTITION BY tenant_id, currency, placed_month ORDER BY months_since ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        AS cumulative_collected_minor,
    if(placed_minor > 0, cumulative_collected_minor / placed_minor, NULL) AS cumulative_rate
FROM
(
    SELECT tenant_id, currency, placed_month, months_since, sum(placed_minor) AS placed, sum(collected_minor) AS collected
    FROM
    (
        SELECT
            tenant_id,
            currency,
            placed_month,
            toUInt16(greatest(0, dateDiff('month', placed_month, month))) AS months_since,
            placed_minor,
            collected_minor
        FROM liquidation_states
        UNION ALL
        SELECT tenant_id, currency, placed_month, toUInt16(number) AS months_since, 0 AS placed_minor, 0 AS collected_minor
        FROM
        (
            SELECT DISTINCT tenant_id, currency, placed_month
            FROM liquidation_states
        )
        ARRAY JOIN range(toUInt64(greatest(0, dateDiff('month', placed_month, toDate32(now('UTC'))) + 1))) AS number
    )
    GROUP BY tenant_id, currency, placed_month, months_since
)
COMMENT 'Liquidation curves: how much of what was placed in a month has been collected, month by month since. One row a tenant, currency, month of placement and months since. Left out: money that stays on account, and write-offs, which stay placed.';

-- -- accounts ---------------------------------------------------------------------------------------------------------

-- Ordered for the one question that it answers: what does this account owe. Portfolios are summed in ageing_daily_states.
CREATE TABLE IF NOT EXISTS open_invoices_states
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    account_id String COMMENT 'The customer who owes.',
    invoice_id String COMMENT 'The invoice; empty = the account''s credit on account.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts.',
    open_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the changes of what is open of the invoice; minor units.',
    on_account_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the changes of credit that is on no issued invoice; minor units. 0 in rows of invoices.',
    due_on SimpleAggregateFunction(max, Date32) COMMENT 'Day the invoice is due on, on the tenant''s calendar.',
    placed_on SimpleAggregateFunction(max, Date32) COMMENT 'Day the debt was placed on, or without a placement the invoice issued, on the tenant''s calendar; the latest that a posting told.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, account_id, invoice_id, currency)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: what is open of every invoice, closed ones included, that open_invoices and account_balances are read from. One or more rows an invoice, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS open_invoices_from_ledger_postings TO open_invoices_states AS
SELECT
    tenant_id,
    account_id,
    entry.1 AS invoice_id,
    currency,
    sum(entry.2) AS open_minor,
    sum(entry.3) AS on_account_minor,
    max(entry.4) AS due_on,
    max(entry.5) AS placed_on
FROM
(
    SELECT tenant_id, account_id, currency, lines, ifNull(on_account_minor, 0) AS credit
    FROM ledger_postings
    WHERE valid
)
ARRAY JOIN
    arrayConcat(
        arrayMap(line -> (line.invoice_id, line.amount_minor, toInt64(0), line.due_on, line.placed_on), lines),
        if(credit = 0, [], [('', toInt64(0), credit, toDate32('1970-01-01'), toDate32('1970-01-01'))])
    ) AS entry
GROUP BY tenant_id, account_id, invoice_id, currency
COMMENT 'Internal: fills open_invoices_states as postings land.';

CREATE VIEW IF NOT EXISTS open_invoices
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    account_id String COMMENT 'The customer who owes.',
    invoice_id String COMMENT 'The invoice.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of open_minor.',
    open_minor Int64 COMMENT 'What is open of it now; minor units.',
    due_on Date32 COMMENT 'The last day to pay, on the tenant''s calendar.',
    placed_on Date32 COMMENT 'Day the debt was placed on, or without a placement the invoice issued, on the tenant''s calendar.',
    days_past_due UInt32 COMMENT 'Days from due_on to today in UTC; 0 = not due, or due today.',
    bucket String COMMENT 'Bucket of age, as in ageing_daily: current, 1-30, 31-60, 61-90, 90+.'
)
AS SELECT
    tenant_id,
    account_id,
    invoice_id,
    currency,
    sum(open_invoices_states.open_minor) AS open_minor,
    max(open_invoices_states.due_on) AS due_on,
    max(open_invoices_states.placed_on) AS placed_on,
    toUInt32(greatest(0, dateDiff('day', due_on, toDate32(now('UTC'))))) AS days_past_due,
    multiIf(days_past_due = 0, 'current', days_past_due <= 30, '1-30', days_past_due <= 60, '31-60', days_past_due <= 90, '61-90', '90+') AS bucket
FROM open_invoices_states
WHERE invoice_id != ''
GROUP BY tenant_id, account_id, invoice_id, currency
HAVING open_minor != 0
COMMENT 'Invoices that are open now. One row an invoice. Made for one account or a few: name tenant_id and account_id; sums of a portfolio are in ageing_daily and receivables_daily. Left out: paid, voided and written-off invoices.';

CREATE VIEW IF NOT EXISTS account_balances
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    account_id String COMMENT 'The customer who owes.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of every amount of the row.',
    open_minor Int64 COMMENT 'What is open of all invoices now; minor units. Credit on account is not taken off.',
    overdue_minor Int64 COMMENT 'Of open_minor, past due today in UTC; minor units.',
    oldest_due_on Nullable(Date32) COMMENT 'Earliest due day of the open invoices, on the tenant''s calendar; null = none is open.',
    days_past_due UInt32 COMMENT 'Days from oldest_due_on to today in UTC; 0 = nothing is past due.',
    on_account_minor Int64 COMMENT 'Credit that is on no issued invoice; minor units, negative = more went back than was on account.'
)
AS SELECT
    tenant_id,
    account_id,
    currency,
    sum(open) AS open_minor,
    sumIf(open, due < toDate32(now('UTC'))) AS overdue_minor,
    minOrNullIf(due, open != 0) AS oldest_due_on,
    toUInt32(greatest(0, ifNull(dateDiff('day', oldest_due_on, toDate32(now('UTC'))), 0))) AS days_past_due,
    sum(credit) AS on_account_minor
FROM
(
    SELECT tenant_id, account_id, currency, sum(open_minor) AS open, sum(on_account_minor) AS credit, max(due_on) AS due
    FROM open_invoices_states
    GROUP BY tenant_id, account_id, invoice_id, currency
)
GROUP BY tenant_id, account_id, currency
HAVING open_minor != 0 OR on_account_minor != 0
COMMENT 'What each account owes now. One row an account and currency. Made for one account or a few: name tenant_id and account_id. Left out: accounts that owe nothing and have no credit.';
