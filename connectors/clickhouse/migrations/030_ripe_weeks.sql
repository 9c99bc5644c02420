-- Merging small parts took a fifth of what rows that land cost the server. Ten at once are half as many merges, and some
-- more parts to read; and a week is shown when it is ripe.

ALTER TABLE payment_events MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE crm_events MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE interaction_events MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE propensity_scores MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE next_best_actions MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE contact_requests MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE customer_events MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE agent_metrics MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE audit_logs MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE tenants MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE model_releases MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE policy_releases MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE dead_letters MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE templates MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE ledger_postings MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE collections_daily_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE ageing_daily_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE liquidation_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE open_invoices_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE promises_daily_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE contacts_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE decisions_hourly_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE denials_hourly_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE limits_near_hourly_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE allowance_weekly_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE scores_daily_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE pipeline_minutes_states MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE dead_letters_hourly_states MODIFY SETTING min_parts_to_merge_at_once = 10;

-- The outcomes that come first are not those of the others: what is known of a young week would mislead.
ALTER TABLE calibration_table
    ADD COLUMN IF NOT EXISTS waiting_share Float64 DEFAULT 1 COMMENT 'Of the whole week: share of the scores whose horizon has not passed, 0..1.';

DROP VIEW IF EXISTS calibration_refreshed;

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
            if(by_due, due_on < toDate32(formatDateTime(now('UTC'), '%F', zone)), end <= toUnixTimestamp64Milli(now64(3, 'UTC'))) AS ended,
            invoices.changes AS changes,
            arrayCount(change -> if(by_due, change.2 <= due_on, change.1 <= end), changes) AS last,
            greatest(1, arrayCount(change -> change.1 <= at, changes)) AS first,
            if(last = 0, '', changes[last].3) AS state,
            -- When each change within the horizon gave way to the next.
            arrayMap(n -> if(n < length(changes), changes[n + 1].1, 9223372036854775807), range(1, last + 1)) AS ends,
            multiIf(
                NOT ended, 'waiting',
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
        WHERE NOT by_due OR due_on >= toDate32(formatDateTime(fromUnixTimestamp64Milli(at, 'UTC'), '%F', zone))
    ),
    weeks AS
    (
        SELECT
            tenant_id,
            model,
            role,
            target,
            week,
            arrayReverseSort(groupArrayIf((probability, toUInt8(outcome = 'paid')), outcome IN ('paid', 'unpaid'))) AS pairs,
            countIf(outcome = 'waiting') / count() AS waiting_share,
            arrayROCAUC(arrayMap(pair -> pair.1, pairs), arrayMap(pair -> pair.2, pairs)) AS auc,
            toUInt64(ceil(length(pairs) / 10)) AS best,
            pairs[best].1 AS edge,
            -- A calibrated model gives many the same score: which of them are among the best must not depend on what came.
            arraySum(pair -> if(pair.1 > edge, pair.2, 0), pairs)
                + (best - arrayCount(pair -> pair.1 > edge, pairs)) * arrayAvg(pair -> pair.2, arrayFilter(pair -> pair.1 = edge, pairs)) AS best_paid
        FROM judged
        GROUP BY tenant_id, model, role, target, week
        HAVING notEmpty(pairs)
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
    any(weeks.best_paid) AS best_paid,
    any(weeks.waiting_share) AS waiting_share
FROM weeks
ARRAY JOIN pairs AS pair
GROUP BY tenant_id, model, role, target, week, bin
-- Millions of invoices are judged account by account, in the order in which they are stored, and what is joined may go to
-- disk: 0.4 GB instead of 1.3 of memory for 4 million scores.
SETTINGS optimize_aggregation_in_order = 1, max_bytes_before_external_group_by = 1000000000, join_algorithm = 'grace_hash'
COMMENT 'Judges the scores of the last 26 weeks whose horizon has passed, and tells how many of their week still wait.';

CREATE OR REPLACE VIEW calibration
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
WHERE waiting_share <= 0.1
COMMENT 'What scores said and what then came, by week and bin. A week is left out as long as it is not known what came of over a tenth of its scores: quick outcomes alone would mislead. Up to an hour old.';

CREATE OR REPLACE VIEW score_quality
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
WHERE waiting_share <= 0.1
GROUP BY tenant_id, model, role, target, week
COMMENT 'How good scores are, by week, on matured outcomes. A week is left out as long as it is not known what came of over a tenth of its scores: quick outcomes alone would mislead. Up to an hour old.';
