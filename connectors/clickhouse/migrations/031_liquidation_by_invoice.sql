-- Postings name the invoice that their event was about, so that money which such an event moves from one invoice to another
-- counts as collected on the one and given back on the other, and not as placed.
ALTER TABLE ledger_postings
    ADD COLUMN IF NOT EXISTS invoice_id String
        COMMENT 'The invoice that the event was about; empty for payments and reversals, and in postings that landed before there was this column.'
        AFTER caused_by,
    ADD COLUMN IF NOT EXISTS placed_on Nullable(Date32)
        COMMENT 'Day on which the debt of invoice_id was placed, else the invoice issued, where no line says it; null also while it has not been issued.'
        AFTER invoice_id;

-- An event of an invoice is worth the change of what is open, less the credit that it moved (`charged`, which is what its
-- document came to). Of its own invoice that much is placed, and what of it did not change what is open was met by money:
-- collected, or given back when negative. A line of another invoice is money that moved there or away. An invoice that has
-- not been issued yet has no month but that of the event.
--
-- Postings without an invoice_id, from before, are counted as they were: every line of theirs as placed. The target is filled
-- again all the same, because a view with another query knows no block that landed before it, and a worker that takes over
-- sends the last one again. Where retention removes postings it cannot be filled: there land has to be stopped, not killed,
-- before.
DROP VIEW IF EXISTS liquidation_from_ledger_postings;

CREATE MATERIALIZED VIEW IF NOT EXISTS liquidation_from_ledger_postings TO liquidation_states AS
SELECT
    tenant_id,
    currency,
    -- toStartOfMonth knows no month before 1970 or after 2149.
    subtractDays(movement.1, toDayOfMonth(movement.1) - 1) AS placed_month,
    subtractDays(booked, toDayOfMonth(booked) - 1) AS month,
    sum(movement.2) AS placed_minor,
    sum(movement.3) AS collected_minor
FROM
(
    SELECT
        tenant_id,
        currency,
        assumeNotNull(booked_on) AS booked,
        cause IN ('payment.received', 'payment.reversed') AS pays,
        cause IN ('invoice.issued', 'invoice.adjusted', 'invoice.voided') AS places,
        invoice_id != '' AS named,
        arrayFilter(line -> named AND line.invoice_id = invoice_id, lines) AS own,
        arraySum(own.amount_minor) AS own_minor,
        arraySum(lines.amount_minor) - ifNull(on_account_minor, 0) - ifNull(recovered_minor, 0) AS charged,
        if(empty(own), ifNull(placed_on, booked), own[1].placed_on) AS own_placed_on,
        arrayConcat(
            arrayMap(
                line -> (line.placed_on, if(places AND NOT named, line.amount_minor, 0), if(pays OR named, -line.amount_minor, 0)),
                arrayFilter(line -> NOT (named AND line.invoice_id = invoice_id), lines)
            ),
            if(named AND (charged != 0 OR own_minor != 0), [(own_placed_on, if(places, charged, 0), charged - own_minor)], [])
        ) AS movements
    FROM ledger_postings
    WHERE valid
)
ARRAY JOIN movements AS movement
GROUP BY tenant_id, currency, placed_month, month
COMMENT 'Internal: fills liquidation_states as postings land.';

ALTER TABLE liquidation_states
    COMMENT COLUMN placed_minor 'Sum of what invoices, debit and credit notes and voids came to; minor units.',
    COMMENT COLUMN collected_minor 'Sum of the money that came onto them, less what went off again; minor units.';

CREATE OR REPLACE VIEW liquidation
(
    tenant_id LowCardinality(String) COMMENT 'The business that collects.',
    currency LowCardinality(String) COMMENT 'ISO 4217; the currency of the amounts.',
    placed_month Date32 COMMENT 'First day of the month in which the debt was placed, or without a placement its invoice issued; the tenant''s calendar. As it was known when each event was booked: tell placements before the money comes.',
    months_since UInt16 COMMENT 'Calendar months from placed_month to the month in which the money came, from 0; every month up to the present one in UTC has a row. Money that came before the placement counts in 0.',
    placed_minor Int64 COMMENT 'What was placed in placed_month, as known today: what its invoices asked for, plus debit, less credit notes and voids; minor units. Where postings that landed before they named an invoice tell of money that a void, a credit note or a late invoice moved to an invoice of another month, it has moved with the money. The same in every row of the month: do not add it up.',
    collected_minor Int64 COMMENT 'Money that came onto its invoices in that month, less what went off again, back to the customer or to another invoice; minor units. Credit on account counts when it pays an invoice. Over all months of placement it is the cash that is on invoices and was not recovered after a write-off.',
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
