-- Promises to pay, cured accounts, and who owes the most: from what decide concluded and from what is open.

CREATE TABLE IF NOT EXISTS promises_daily_states
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts.',
    day Date32 COMMENT 'The promised day, on the tenant''s calendar.',
    kept SimpleAggregateFunction(sum, UInt64) COMMENT 'Promises that were kept.',
    broken SimpleAggregateFunction(sum, UInt64) COMMENT 'Promises that were broken.',
    kept_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what the kept ones promised; minor units.',
    broken_minor SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of what the broken ones promised; minor units.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, currency, day)
-- No partitions, as in the file before this one.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums of customer_events that promises_daily is read from. One or more rows a tenant, currency and day, until they are merged.';

-- Decide judges a promise once and says so in its transaction: no event of these types is repeated.
CREATE MATERIALIZED VIEW IF NOT EXISTS promises_daily_from_customer_events TO promises_daily_states AS
SELECT
    tenant_id,
    currency,
    assumeNotNull(due_on) AS day,
    countIf(type = 'promise.kept') AS kept,
    countIf(type = 'promise.broken') AS broken,
    sumIf(ifNull(amount_minor, 0), type = 'promise.kept') AS kept_minor,
    sumIf(ifNull(amount_minor, 0), type = 'promise.broken') AS broken_minor
FROM customer_events
WHERE valid AND type IN ('promise.kept', 'promise.broken')
GROUP BY tenant_id, currency, day
COMMENT 'Internal: fills promises_daily_states as customer events land.';

CREATE VIEW IF NOT EXISTS promises_daily
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts; empty where a promise names none.',
    day Date32 COMMENT 'The promised day, on the tenant''s calendar.',
    kept UInt64 COMMENT 'Promises of that day that were kept: all that was promised came between the promise and the end of the day.',
    broken UInt64 COMMENT 'Promises of that day that were broken. Judged once, when the day has passed; promises taken back before are in neither.',
    kept_minor Int64 COMMENT 'What the kept ones promised; minor units.',
    broken_minor Int64 COMMENT 'What the broken ones promised, also where a part came; minor units.',
    kept_rate Nullable(Float64) COMMENT 'kept / (kept + broken), 0 to 1.'
)
AS SELECT
    tenant_id,
    currency,
    day,
    sum(promises_daily_states.kept) AS kept,
    sum(promises_daily_states.broken) AS broken,
    sum(promises_daily_states.kept_minor) AS kept_minor,
    sum(promises_daily_states.broken_minor) AS broken_minor,
    if(kept + broken > 0, kept / (kept + broken), NULL) AS kept_rate
FROM promises_daily_states
GROUP BY tenant_id, currency, day
COMMENT 'Promises to pay by the day that was promised. One row a tenant, currency and day. Promises without a currency are rows with currency '''' and 0 minor units. Left out: promises whose day has not passed, or had passed before the tenant went live.';

-- Whether an account falls behind again is known only later, so this is worked out anew.
CREATE TABLE IF NOT EXISTS cures_monthly_table
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    month Date COMMENT 'First day of the month of the cure; UTC.',
    cured UInt64 COMMENT 'Cures.',
    redefaulted_30d UInt64 COMMENT 'Of matured_30d, overdue again within 30 days.',
    redefaulted_90d UInt64 COMMENT 'Of matured_90d, overdue again within 90 days.',
    matured_30d UInt64 COMMENT 'Of cured, at least 30 days ago when this was worked out.',
    matured_90d UInt64 COMMENT 'Of cured, at least 90 days ago when this was worked out.'
)
ENGINE = MergeTree
ORDER BY (tenant_id, month)
COMMENT 'Internal: what cures_monthly is read from, as it was worked out last. One row a tenant and month.';

CREATE MATERIALIZED VIEW IF NOT EXISTS cures_monthly_refreshed
REFRESH EVERY 5 MINUTE RANDOMIZE FOR 1 MINUTE TO cures_monthly_table EMPTY AS
SELECT
    tenant_id,
    toDate(toStartOfMonth(cured_at)) AS month,
    count() AS cured,
    countIf(matured_30 AND again_at <= cured_at + INTERVAL 30 DAY) AS redefaulted_30d,
    countIf(matured_90 AND again_at <= cured_at + INTERVAL 90 DAY) AS redefaulted_90d,
    countIf(matured_30) AS matured_30d,
    countIf(matured_90) AS matured_90d
FROM
(
    SELECT
        tenant_id,
        cured_at,
        -- The far end of time where it never was overdue again.
        arrayFirst(at -> at > cured_at, arrayPushBack(arraySort(overdues), toDateTime64('2299-12-31', 3, 'UTC'))) AS again_at,
        cured_at <= now('UTC') - INTERVAL 30 DAY AS matured_30,
        cured_at <= now('UTC') - INTERVAL 90 DAY AS matured_90
    FROM
    (
        SELECT
            tenant_id,
            account_id,
            groupUniqArrayIf(occurred_at, type = 'account.cured') AS cures,
            groupUniqArrayIf(occurred_at, type = 'invoice.overdue') AS overdues
        FROM customer_events
        WHERE valid AND type IN ('account.cured', 'invoice.overdue')
        GROUP BY tenant_id, account_id
        -- The table's order: one account in memory at a time.
        SETTINGS optimize_aggregation_in_order = 1
    )
    ARRAY JOIN cures AS cured_at
)
GROUP BY tenant_id, month
COMMENT 'Internal: works cures_monthly_table out anew.';

CREATE VIEW IF NOT EXISTS cures_monthly
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    month Date COMMENT 'First day of the month of the cure; UTC.',
    cured UInt64 COMMENT 'Cures: accounts that were overdue and owe nothing overdue any more. An account that is cured twice in a month counts twice.',
    redefaulted_30d UInt64 COMMENT 'Of matured_30d, those with an invoice overdue again within 30 days.',
    redefaulted_90d UInt64 COMMENT 'Of matured_90d, those with an invoice overdue again within 90 days.',
    matured_30d UInt64 COMMENT 'Of cured, those at least 30 days ago: of the others it is not known yet.',
    matured_90d UInt64 COMMENT 'Of cured, those at least 90 days ago.',
    redefault_rate_90d Nullable(Float64) COMMENT 'redefaulted_90d / matured_90d, 0 to 1; null where none is old enough.'
)
AS SELECT
    tenant_id,
    month,
    cured,
    redefaulted_30d,
    redefaulted_90d,
    matured_30d,
    matured_90d,
    if(matured_90d > 0, redefaulted_90d / matured_90d, NULL) AS redefault_rate_90d
FROM cures_monthly_table
COMMENT 'Accounts that were cured, and how many of them fell behind again. One row a tenant and month in UTC. Worked out anew every 5 minutes. Left out: what became overdue before the tenant went live.';


-- -- who owes the most ------------------------------------------------------------------------------------------------

-- Every open invoice has to be read to know it, so it is worked out from time to time, and few accounts are kept.
CREATE TABLE IF NOT EXISTS most_overdue_table
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of every amount of the row.',
    place UInt16 COMMENT '1 = the account with the most overdue of the tenant and currency.',
    account_id String COMMENT 'The customer who owes.',
    open_minor Int64 COMMENT 'What is open of all invoices; minor units.',
    overdue_minor Int64 COMMENT 'Of open_minor, past due; minor units.',
    oldest_due_on Date32 COMMENT 'Earliest due day of the open invoices, on the tenant''s calendar.',
    days_past_due UInt32 COMMENT 'Days from oldest_due_on to the day in UTC on which this was worked out.',
    on_account_minor Int64 COMMENT 'Credit that is on no issued invoice; minor units.'
)
ENGINE = MergeTree
ORDER BY (tenant_id, currency, place)
COMMENT 'Internal: what most_overdue is read from, as it was worked out last. One row a tenant, currency and place.';

-- The states are in the order of accounts: FINAL adds up invoice by invoice, the sums are of one account at a time, and
-- of each tenant and currency no more than a heap of the largest is held.
CREATE MATERIALIZED VIEW IF NOT EXISTS most_overdue_refreshed
REFRESH EVERY 5 MINUTE RANDOMIZE FOR 1 MINUTE TO most_overdue_table EMPTY AS
SELECT
    tenant_id,
    currency,
    toUInt16(number) AS place,
    account.2 AS account_id,
    account.3 AS open_minor,
    -account.1 AS overdue_minor,
    account.4 AS oldest_due_on,
    toUInt32(dateDiff('day', oldest_due_on, toDate32(now('UTC')))) AS days_past_due,
    account.5 AS on_account_minor
FROM
(
    SELECT tenant_id, currency, groupArraySorted(1000)((-overdue, account_id, open, oldest, credit)) AS most
    FROM
    (
        SELECT
            tenant_id,
            account_id,
            currency,
            sum(open_minor) AS open,
            sumIf(open_minor, due_on < toDate32(now('UTC'))) AS overdue,
            minIf(due_on, open_minor != 0) AS oldest,
            sum(on_account_minor) AS credit
        FROM open_invoices_states FINAL
        GROUP BY tenant_id, account_id, currency
        HAVING overdue > 0
    )
    GROUP BY tenant_id, currency
)
ARRAY JOIN most AS account, arrayEnumerate(most) AS number
SETTINGS optimize_aggregation_in_order = 1, max_bytes_before_external_group_by = 500000000
COMMENT 'Internal: works most_overdue_table out anew.';

CREATE VIEW IF NOT EXISTS most_overdue
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of every amount of the row.',
    place UInt16 COMMENT '1 = the account with the most overdue of the tenant and currency, to 1000; accounts that owe the same are in the order of their ids.',
    account_id String COMMENT 'The customer who owes.',
    open_minor Int64 COMMENT 'What is open of all its invoices; minor units. Credit on account is not taken off.',
    overdue_minor Int64 COMMENT 'Of open_minor, past due in UTC; minor units, over 0.',
    oldest_due_on Date32 COMMENT 'Earliest due day of its open invoices, on the tenant''s calendar.',
    days_past_due UInt32 COMMENT 'Days from oldest_due_on to the day in UTC on which this was worked out.',
    on_account_minor Int64 COMMENT 'Credit that is on no issued invoice; minor units, negative = more went back than was on account.'
)
AS SELECT tenant_id, currency, place, account_id, open_minor, overdue_minor, oldest_due_on, days_past_due, on_account_minor
FROM most_overdue_table
COMMENT 'The accounts that owe the most overdue. One row a tenant, currency and place. Worked out anew every 5 minutes; what one account owes this moment is in account_balances. Left out: all but the first 1,000 of each tenant and currency.';
