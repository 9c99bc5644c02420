-- Scores: how they are spread, whether they move, and whether they said what then came.
--
-- decide publishes each score once, and a block that is landed again is recognised by its token, so scores are added up
-- in a hundred bins of probability. What came of them is known only when their horizon has passed; that is worked out
-- every hour.

-- Order key: dashboards ask for a tenant and days, then compare models.
CREATE TABLE IF NOT EXISTS scores_daily_states
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day of the scores.',
    model LowCardinality(String) COMMENT 'Model.',
    role LowCardinality(String) COMMENT 'Role.',
    target LowCardinality(String) COMMENT 'Target.',
    bin UInt8 COMMENT 'Hundredth of the probability: 0 = below 0.01, 99 = from 0.99 on.',
    scores SimpleAggregateFunction(sum, UInt64) COMMENT 'Scores.',
    probability SimpleAggregateFunction(sum, Float64) COMMENT 'Sum of the probabilities.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, day, model, role, target, bin)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums that scores_daily, scored_models and score_drift_daily are read from. One or more rows a key, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS scores_daily_from_propensity_scores TO scores_daily_states AS
SELECT
    tenant_id,
    toDate(occurred_at) AS day,
    model,
    role,
    target,
    toUInt8(least(99, floor(assumeNotNull(propensity_scores.probability) * 100))) AS bin,
    count() AS scores,
    sum(assumeNotNull(propensity_scores.probability)) AS probability
FROM propensity_scores
WHERE valid AND propensity_scores.probability IS NOT NULL
GROUP BY tenant_id, day, model, role, target, bin
COMMENT 'Counts scores by their probability.';

CREATE VIEW IF NOT EXISTS scores_daily
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day of the scores.',
    model LowCardinality(String) COMMENT 'Model.',
    role LowCardinality(String) COMMENT 'champion = its score was decided by, challenger = it scored beside.',
    target LowCardinality(String) COMMENT 'What the probability is of: paid_by_due, or paid_within:N (days from the score).',
    decile UInt8 COMMENT 'Tenth of the scale of probability: 0 = below 0.1, 9 = from 0.9 on.',
    scores UInt64 COMMENT 'Scores in this tenth. An account that is scored twice counts twice.',
    mean_probability Float64 COMMENT 'Mean of the scores in this tenth, 0..1.',
    p10 Float64 COMMENT 'Of all scores of the day, model, role and target: one in ten is below, 0..1, to 0.01. The same in each of its rows.',
    p50 Float64 COMMENT 'Median of all scores of the day, model, role and target, 0..1, to 0.01.',
    p90 Float64 COMMENT 'Nine in ten of the scores of the day, model, role and target are below, 0..1, to 0.01.'
)
AS SELECT
    tenant_id,
    day,
    model,
    role,
    target,
    part.1 AS decile,
    part.2 AS scores,
    part.3 / part.2 AS mean_probability,
    -- The mean of the hundredth in which the quantile lies.
    arrayFirst((m, up_to) -> up_to >= 0.1 * total, means, running) AS p10,
    arrayFirst((m, up_to) -> up_to >= 0.5 * total, means, running) AS p50,
    arrayFirst((m, up_to) -> up_to >= 0.9 * total, means, running) AS p90
FROM
(
    SELECT
        tenant_id,
        day,
        model,
        role,
        target,
        arraySort(groupArray((bin, n, p))) AS bins,
        arrayMap(b -> b.3 / b.2, bins) AS means,
        arrayCumSum(b -> b.2, bins) AS running,
        arraySum(b -> b.2, bins) AS total,
        arrayFilter(
            d -> d.2 > 0,
            arrayMap(
                d -> (
                    toUInt8(d),
                    arraySum(b -> if(intDiv(b.1, 10) = d, b.2, 0), bins),
                    arraySum(b -> if(intDiv(b.1, 10) = d, b.3, 0), bins)),
                range(10))) AS parts
    FROM
    (
        SELECT tenant_id, day, model, role, target, bin, sum(scores) AS n, sum(probability) AS p
        FROM scores_daily_states
        GROUP BY tenant_id, day, model, role, target, bin
    )
    GROUP BY tenant_id, day, model, role, target
)
ARRAY JOIN parts AS part
COMMENT 'How scores are spread, by day: as a histogram of ten bins, and as quantiles.';

CREATE VIEW IF NOT EXISTS scored_models
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    model LowCardinality(String) COMMENT 'Model.',
    role LowCardinality(String) COMMENT 'champion = its score was decided by, challenger = it scored beside.',
    target LowCardinality(String) COMMENT 'What the probability is of: paid_by_due, or paid_within:N (days from the score).',
    first_day Date COMMENT 'UTC day of its first score.',
    last_day Date COMMENT 'UTC day of its last score.'
)
AS SELECT tenant_id, model, role, target, min(day) AS first_day, max(day) AS last_day
FROM scores_daily_states
GROUP BY tenant_id, model, role, target
COMMENT 'Which models have scored whose accounts, and when. One row a tenant, model, role and target.';

CREATE VIEW IF NOT EXISTS score_drift_daily
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day of the scores; those of the first 14 days are what others are compared with, and left out.',
    model LowCardinality(String) COMMENT 'Model, in whichever role.',
    psi Float64 COMMENT 'Population stability index: sum((q - p) * ln(q / p)) over ten bins of about equal mass in the first 14 days on which the model scored the tenant; 0.5 is added to every count, and bins that are empty on both sides are left out. Below 0.1 stable, above 0.2 another population; with few scores it is large by chance, about 9 / scores.',
    scores UInt64 COMMENT 'Scores of the day. An account that is scored twice counts twice (recoup models watch counts it once).'
)
AS SELECT
    tenant_id,
    part.1 AS day,
    model,
    arraySum(
        (before, now) -> ((now + 0.5) / (scores + 0.5 * length(used)) - (before + 0.5) / (total + 0.5 * length(used)))
            * log(((now + 0.5) / (scores + 0.5 * length(used))) / ((before + 0.5) / (total + 0.5 * length(used)))),
        arrayMap(pair -> pair.1, used),
        arrayMap(pair -> pair.2, used)) AS psi,
    arraySum(part.2) AS scores
FROM
(
    SELECT
        tenant_id,
        model,
        total,
        part,
        arrayFilter(pair -> pair.1 + pair.2 > 0, arrayZip(seen, arrayReduce('sumResample(0, 10, 1)', part.2, places))) AS used
    FROM
    (
        -- Once a model: what it said at first, and which of ten bins of equal mass a hundredth belongs to, by where the
        -- rows below it end.
        SELECT
            tenant_id,
            model,
            min(day) + 14 AS later,
            groupArray((day, found)) AS days,
            arrayReduce('sumForEach', arrayMap(d -> d.2, arrayFilter(d -> d.1 < later, days))) AS counts,
            arraySum(counts) AS total,
            arrayMap((n, up_to) -> toUInt8(least(9, intDiv(10 * (up_to - n), total))), counts, arrayCumSum(counts)) AS places,
            arrayReduce('sumResample(0, 10, 1)', counts, places) AS seen,
            arrayFilter(d -> d.1 >= later, days) AS parts
        FROM
        (
            -- Each day's scores as a hundred counts.
            SELECT tenant_id, model, day, sumResample(0, 100, 1)(scores, bin) AS found
            FROM scores_daily_states
            GROUP BY tenant_id, model, day
        )
        GROUP BY tenant_id, model
    )
    ARRAY JOIN parts AS part
)
COMMENT 'Whether the scores of a model move, by day.';

CREATE VIEW IF NOT EXISTS drift
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    at DateTime64(3, 'UTC') COMMENT 'When recoup models watch told of it, UTC.',
    model LowCardinality(String) COMMENT 'Model.',
    feature LowCardinality(String) COMMENT 'Feature that has drifted; score = the score itself.',
    statistic LowCardinality(String) COMMENT 'psi = the distribution has moved, calibration = observed minus expected share of payers.',
    value Float64 COMMENT 'Of the statistic.',
    threshold Float64 COMMENT 'Beyond it, to either side, and beyond chance it has drifted.',
    n Int64 COMMENT 'Accounts of the current window, or matured scores.',
    drifted Bool COMMENT 'Whether the value is beyond the threshold. Only what has drifted is told.'
)
AS SELECT
    tenant_id,
    min(occurred_at) AS at,
    argMin(customer_events.model, occurred_at) AS model,
    argMin(customer_events.feature, occurred_at) AS feature,
    argMin(customer_events.statistic, occurred_at) AS statistic,
    ifNull(argMin(customer_events.value, occurred_at), 0) AS value,
    ifNull(argMin(customer_events.threshold, occurred_at), 0) AS threshold,
    ifNull(argMin(customer_events.n, occurred_at), 0) AS n,
    abs(value) > threshold AS drifted
FROM customer_events
-- An event about a tenant names no account, so these few rows stand together at the beginning of each tenant.
WHERE account_id = '' AND type = 'model.drifted' AND valid
GROUP BY tenant_id, event_id
COMMENT 'What recoup models watch has found to drift; each thing once a day, however often it was told.';

-- Order key: dashboards ask for a tenant, then compare models and weeks.
CREATE TABLE IF NOT EXISTS calibration_table
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    model LowCardinality(String) COMMENT 'Model.',
    role LowCardinality(String) COMMENT 'Role.',
    target LowCardinality(String) COMMENT 'Target.',
    week Date COMMENT 'Monday of the week of the scores, UTC.',
    bin UInt8 COMMENT 'Tenth of the probability.',
    scores UInt64 COMMENT 'Matured scores in the bin.',
    paid UInt64 COMMENT 'Of them, paid.',
    probability Float64 COMMENT 'Sum of their probabilities.',
    squares Float64 COMMENT 'Sum of (probability - paid) squared.',
    auc Float64 COMMENT 'Of the whole week.',
    best UInt64 COMMENT 'Of the whole week: how many scores are the best tenth.',
    best_paid Float64 COMMENT 'Of them, paid; of scores that are alike at the edge of the tenth, in proportion.'
)
ENGINE = MergeTree
ORDER BY (tenant_id, model, role, target, week, bin)
COMMENT 'Internal: what the views calibration and score_quality show, made anew every hour. One row a week and bin.';

-- The labels of `recoup models watch` and of training: one score of each invoice and week (the first of the week where
-- the due date settles it, else one that is drawn by its event's id), judged by what happened until its horizon ended.
-- Paid = closed by money, and still so at the end. Voided, credited, written off, disputed, recalled or sold within the
-- horizon is neither paid nor unpaid, and left out; so is a score after the due date, or of an invoice that has not landed.
CREATE MATERIALIZED VIEW IF NOT EXISTS calibration_refreshed
REFRESH EVERY 1 HOUR TO calibration_table EMPTY AS
WITH
    zones AS
    (
        SELECT tenant_id, if(zone IN (SELECT time_zone FROM system.time_zones), zone, 'UTC') AS zone
        FROM (SELECT tenant_id, argMax(time_zone, (_arrived_at, _offset)) AS zone FROM tenants WHERE valid GROUP BY tenant_id)
    ),
    scores AS
    (
        SELECT
            tenant_id,
            account_id,
            invoice_id,
            model,
            role,
            target,
            week,
            drawn.2 AS at,
            drawn.4 AS probability,
            at + 86400000 * coalesce(nullIf(toInt64OrZero(splitByChar(':', target)[2]), 0), drawn.3) AS end
        FROM
        (
            SELECT
                tenant_id,
                account_id,
                invoice_id,
                model,
                role,
                target,
                toMonday(toDate(occurred_at)) AS week,
                min((
                    if(target = 'paid_by_due', toUInt64(toUnixTimestamp64Milli(occurred_at)), cityHash64(event_id)),
                    toUnixTimestamp64Milli(occurred_at),
                    ifNull(horizon_days, 0),
                    ifNull(probability, 0))) AS drawn
            FROM propensity_scores
            WHERE valid AND type = 'propensity.scored' AND invoice_id != '' AND occurred_at >= toMonday(now('UTC') - INTERVAL 182 DAY)
            GROUP BY tenant_id, account_id, invoice_id, model, role, target, week
        )
    ),
    -- What was done to an invoice by name; any other closing is by money. And invoices that credit on account had paid
    -- before they were issued: nothing of them was open, so the books have no line.
    own AS
    (
        SELECT
            events.tenant_id AS tenant_id,
            events.account_id AS account_id,
            events.event_id AS event_id,
            events.invoice_id AS invoice_id,
            events.type AS type,
            ifNull(events.amount_minor, 0) AS amount,
            events.occurred_at AS occurred_at,
            events._offset AS number,
            if(zones.zone = '', 'UTC', zones.zone) AS where,
            toDate32(formatDateTime(ifNull(events.due_at, toDateTime64('1900-01-01', 3, 'UTC')), '%F', where)) AS due,
            toDate32(formatDateTime(events.occurred_at, '%F', where)) AS booked_on
        FROM payment_events AS events
        LEFT JOIN zones ON events.tenant_id = zones.tenant_id
        WHERE events.valid
            AND (events.type IN ('invoice.voided', 'invoice.written_off', 'invoice.adjusted')
                OR (events.type = 'invoice.issued' AND (events.tenant_id, events.account_id, events.event_id) IN
                (
                    SELECT tenant_id, account_id, caused_by
                    FROM ledger_postings
                    WHERE valid AND cause = 'invoice.issued' AND NOT has(lines.opened, 1)
                )))
    ),
    -- Each invoice's changes in the order of time: (at, day on the tenant's calendar, state from then on).
    invoices AS
    (
        SELECT
            tenant_id,
            account_id,
            invoice_id,
            max(due) AS due_on,
            arraySort(groupUniqArray((at, number, booked_on, cause, opened, paid))) AS moves,
            -- Closed by a credit note after a part was paid counts as paid.
            arrayFilter(
                change -> change.3 != '',
                arrayMap(
                    (move, so_far) -> (
                        move.1,
                        move.3,
                        multiIf(
                            move.5 = 0, '',
                            move.5 = 1, 'open',
                            move.4 = 'invoice.voided', 'voided',
                            move.4 = 'invoice.written_off', 'written_off',
                            move.4 = 'invoice.adjusted' AND so_far <= 0, 'credited',
                            'paid')),
                    moves,
                    arrayCumSum(move -> move.6, moves))) AS changes
        FROM
        (
            SELECT
                posted.tenant_id AS tenant_id,
                posted.account_id AS account_id,
                posted.line.invoice_id AS invoice_id,
                posted.line.due_on AS due,
                posted.at AS at,
                posted.number AS number,
                posted.booked_on AS booked_on,
                posted.line.opened AS opened,
                if(own.event_id != '' OR posted.cause = 'invoice.issued', posted.cause, 'money') AS cause,
                multiIf(
                    -- What of the paid part a credit note set free again.
                    own.event_id != '', own.amount - posted.line.amount_minor,
                    -- Credit on account that an invoice used when it was issued was paid as well.
                    posted.cause = 'invoice.issued' AND opened = 1, greatest(-posted.credit, 0),
                    -posted.line.amount_minor) AS paid
            FROM
            (
                SELECT
                    tenant_id,
                    account_id,
                    line,
                    toUnixTimestamp64Milli(occurred_at) AS at,
                    _offset AS number,
                    booked_on,
                    cause,
                    caused_by,
                    ifNull(on_account_minor, 0) AS credit
                FROM ledger_postings
                ARRAY JOIN lines AS line
                WHERE valid
            ) AS posted
            LEFT JOIN own
                ON posted.tenant_id = own.tenant_id AND posted.account_id = own.account_id
                AND posted.caused_by = own.event_id AND posted.line.invoice_id = own.invoice_id
            UNION ALL
            -- Of an invoice that is voided after it was paid nothing is open either.
            SELECT tenant_id, account_id, invoice_id, due, toUnixTimestamp64Milli(occurred_at), number, booked_on, toInt8(-1), type, toInt64(0)
            FROM own
            WHERE type IN ('invoice.voided', 'invoice.issued')
        )
        GROUP BY tenant_id, account_id, invoice_id
    ),
    -- Spans of time in which an account's invoices or debts are disputed, recalled or sold: (invoice or '', debt or '', from, to).
    spans AS
    (
        SELECT tenant_id, account_id, groupArray((invoice_id, debt_id, begins, ends)) AS bars
        FROM
        (
            SELECT
                tenant_id,
                account_id,
                invoice_id,
                debt_id,
                arrayJoin(opened) AS begins,
                arrayMin(arrayConcat([toInt64(9223372036854775807)], arrayFilter(at -> at > begins, resolved))) AS ends
            FROM
            (
                SELECT
                    tenant_id,
                    account_id,
                    key,
                    max(invoice) AS invoice_id,
                    max(debt) AS debt_id,
                    groupArrayIf(at, says = 'opened') AS opened,
                    groupArrayIf(at, says = 'ended') AS resolved
                FROM
                (
                    SELECT
                        tenant_id,
                        account_id,
                        multiIf(
                            type IN ('debt.recalled', 'debt.sold', 'debt.placed'), concat('f:', debt_id),
                            dispute_id != '', dispute_id,
                            invoice_id != '', concat('i:', invoice_id),
                            concat('d:', debt_id)) AS key,
                        crm_events.invoice_id AS invoice,
                        if(crm_events.invoice_id != '', '', crm_events.debt_id) AS debt,
                        toUnixTimestamp64Milli(occurred_at) AS at,
                        multiIf(
                            type IN ('dispute.opened', 'debt.recalled', 'debt.sold'), 'opened',
                            type = 'dispute.resolved' AND outcome = 'upheld', '',
                            'ended') AS says
                    FROM crm_events
                    WHERE valid AND type IN ('dispute.opened', 'dispute.resolved', 'debt.recalled', 'debt.sold', 'debt.placed')
                )
                GROUP BY tenant_id, account_id, key
            )
        )
        GROUP BY tenant_id, account_id
    ),
    debts AS
    (
        SELECT tenant_id, account_id, invoice_id, max(debt_id) AS debt_id
        FROM payment_events
        WHERE valid AND type = 'invoice.issued' AND (tenant_id, account_id) IN (SELECT tenant_id, account_id FROM spans)
        GROUP BY tenant_id, account_id, invoice_id
    ),
    judged AS
    (
        SELECT
            scores.tenant_id AS tenant_id,
            scores.model AS model,
            scores.role AS role,
            scores.target AS target,
            scores.week AS week,
            scores.probability AS probability,
            scores.at AS at,
            scores.end AS end,
            scores.target = 'paid_by_due' AS by_due,
            if(zones.zone = '', 'UTC', zones.zone) AS zone,
            invoices.due_on AS due_on,
            invoices.changes AS changes,
            arrayCount(change -> if(by_due, change.2 <= due_on, change.1 <= end), changes) AS last,
            greatest(1, arrayCount(change -> change.1 <= at, changes)) AS first,
            if(last = 0, '', changes[last].3) AS state,
            -- When each change within the horizon gave way to the next.
            arrayMap(n -> if(n < length(changes), changes[n + 1].1, 9223372036854775807), range(1, last + 1)) AS ends,
            multiIf(
                last = 0, 'competing',
                state = 'paid', 'paid',
                arrayExists(change -> change.3 IN ('voided', 'written_off', 'credited'), arraySlice(changes, first, last - first + 1)), 'competing',
                arrayExists(
                    bar -> (bar.1 = '' OR bar.1 = scores.invoice_id) AND (bar.2 = '' OR debts.debt_id = '' OR bar.2 = debts.debt_id)
                        AND bar.4 > at
                        AND if(by_due, toDate32(formatDateTime(fromUnixTimestamp64Milli(bar.3, 'UTC'), '%F', zone)) <= due_on, bar.3 <= end)
                        -- While it was open.
                        AND arrayExists(
                            (change, until) -> change.3 = 'open' AND greatest(bar.3, change.1) < least(bar.4, until) AND until > at,
                            arraySlice(changes, 1, last), ends),
                    spans.bars), 'competing',
                'unpaid') AS outcome
        FROM scores
        INNER JOIN invoices ON scores.tenant_id = invoices.tenant_id AND scores.account_id = invoices.account_id AND scores.invoice_id = invoices.invoice_id
        LEFT JOIN spans ON scores.tenant_id = spans.tenant_id AND scores.account_id = spans.account_id
        LEFT JOIN debts ON scores.tenant_id = debts.tenant_id AND scores.account_id = debts.account_id AND scores.invoice_id = debts.invoice_id
        LEFT JOIN zones ON scores.tenant_id = zones.tenant_id
        WHERE if(
            by_due,
            due_on < toDate32(formatDateTime(now('UTC'), '%F', zone)) AND due_on >= toDate32(formatDateTime(fromUnixTimestamp64Milli(at, 'UTC'), '%F', zone)),
            end <= toUnixTimestamp64Milli(now64(3, 'UTC')))
    ),
    weeks AS
    (
        SELECT
            tenant_id,
            model,
            role,
            target,
            week,
            arrayReverseSort(groupArray((probability, toUInt8(outcome = 'paid')))) AS pairs,
            arrayROCAUC(arrayMap(pair -> pair.1, pairs), arrayMap(pair -> pair.2, pairs)) AS auc,
            toUInt64(ceil(length(pairs) / 10)) AS best,
            pairs[best].1 AS edge,
            -- A calibrated model gives many the same score: which of them are among the best must not depend on what came.
            arraySum(pair -> if(pair.1 > edge, pair.2, 0), pairs)
                + (best - arrayCount(pair -> pair.1 > edge, pairs)) * arrayAvg(pair -> pair.2, arrayFilter(pair -> pair.1 = edge, pairs)) AS best_paid
        FROM judged
        WHERE outcome IN ('paid', 'unpaid')
        GROUP BY tenant_id, model, role, target, week
    )
SELECT
    tenant_id,
    model,
    role,
    target,
    week,
    toUInt8(least(9, floor(pair.1 * 10))) AS bin,
    count() AS scores,
    sum(pair.2) AS paid,
    sum(pair.1) AS probability,
    sum((pair.1 - pair.2) * (pair.1 - pair.2)) AS squares,
    any(weeks.auc) AS auc,
    any(weeks.best) AS best,
    any(weeks.best_paid) AS best_paid
FROM weeks
ARRAY JOIN pairs AS pair
GROUP BY tenant_id, model, role, target, week, bin
-- Millions of invoices are judged account by account, in the order in which they are stored, and what is joined may go to
-- disk: 0.4 GB instead of 1.3 of memory for 4 million scores.
SETTINGS optimize_aggregation_in_order = 1, max_bytes_before_external_group_by = 1000000000, join_algorithm = 'grace_hash'
COMMENT 'Judges the scores of the last 26 weeks whose horizon has passed.';

CREATE VIEW IF NOT EXISTS calibration
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    model LowCardinality(String) COMMENT 'Model.',
    role LowCardinality(String) COMMENT 'champion or challenger.',
    target LowCardinality(String) COMMENT 'What the probability is of: paid_by_due, or paid_within:N (days from the score).',
    week Date COMMENT 'Monday of the week in which the scores were made, UTC.',
    bin UInt8 COMMENT 'Tenth of the scale of probability: 0 = below 0.1, 9 = from 0.9 on.',
    scores UInt64 COMMENT 'Matured scores, one of each invoice and week: the first of the week where the due date settles it, else one that is drawn. Left out: horizons that have not passed; invoices that were voided, credited, written off, disputed, recalled or sold within them; scores after the due date; scores of over 26 weeks ago.',
    mean_probability Float64 COMMENT 'Mean of what the scores said, 0..1.',
    observed_rate Float64 COMMENT 'Share that was paid in full within the horizon and still was at its end, 0..1. Calibrated = mean_probability.',
    observed_low Float64 COMMENT 'Lower end of its 95 % interval (Wilson), 0..1. Invoices of one account are taken as independent, so it is somewhat too narrow.',
    observed_high Float64 COMMENT 'Upper end of the same.'
)
AS SELECT
    tenant_id,
    model,
    role,
    target,
    week,
    bin,
    scores,
    probability / scores AS mean_probability,
    paid / scores AS observed_rate,
    greatest(0, (observed_rate + 1.9208 / scores - 1.96 * sqrt((observed_rate * (1 - observed_rate) + 0.9604 / scores) / scores)) / (1 + 3.8416 / scores)) AS observed_low,
    least(1, (observed_rate + 1.9208 / scores + 1.96 * sqrt((observed_rate * (1 - observed_rate) + 0.9604 / scores) / scores)) / (1 + 3.8416 / scores)) AS observed_high
FROM calibration_table
COMMENT 'What scores said and what then came, by week and bin. Up to an hour old.';

CREATE VIEW IF NOT EXISTS score_quality
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    model LowCardinality(String) COMMENT 'Model.',
    role LowCardinality(String) COMMENT 'champion or challenger.',
    target LowCardinality(String) COMMENT 'What the probability is of.',
    week Date COMMENT 'Monday of the week in which the scores were made, UTC.',
    scores UInt64 COMMENT 'Matured scores, as in calibration.',
    observed_rate Float64 COMMENT 'Share that was paid, 0..1.',
    mean_probability Float64 COMMENT 'Mean of what the scores said, 0..1.',
    brier Float64 COMMENT 'Mean of (probability - paid) squared, 0..1; lower is better.',
    brier_base Float64 COMMENT 'The same of a model that says the observed rate of the week of everybody: r * (1 - r). A model is worth something below it.',
    auc Nullable(Float64) COMMENT 'Probability that a score of a paid invoice is above that of an unpaid one, 0..1, 0.5 = chance; null when all or none were paid.',
    gain_top_decile Nullable(Float64) COMMENT 'How many times as many of the tenth with the best scores were paid as of all; of scores that are alike at its edge, in proportion. 1 = chance; null when none was paid.'
)
AS SELECT
    tenant_id,
    model,
    role,
    target,
    week,
    sum(found.scores) AS scores,
    sum(found.paid) / scores AS observed_rate,
    sum(found.probability) / scores AS mean_probability,
    sum(found.squares) / scores AS brier,
    observed_rate * (1 - observed_rate) AS brier_base,
    if(observed_rate IN (0, 1), NULL, any(found.auc)) AS auc,
    if(observed_rate = 0, NULL, any(found.best_paid) / any(found.best) / observed_rate) AS gain_top_decile
FROM calibration_table AS found
GROUP BY tenant_id, model, role, target, week
COMMENT 'How good scores are, by week, on matured outcomes. Up to an hour old.';
