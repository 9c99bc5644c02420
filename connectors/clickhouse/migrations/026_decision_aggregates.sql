-- Decisions by hour: what was chosen, what rules denied, and how much of what the limits allow is left.
--
-- decide publishes each decision once, and a block that is landed again is recognised by its token, so decisions are
-- added up. Hours and weeks are UTC.

-- Order key: dashboards ask for a tenant and a time; what they group by follows, the coarse before the fine.
CREATE TABLE IF NOT EXISTS decisions_hourly_states
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    hour DateTime('UTC') COMMENT 'Hour, UTC.',
    policy LowCardinality(String) COMMENT 'Policy.',
    model LowCardinality(String) COMMENT 'Model.',
    arm LowCardinality(String) COMMENT 'Arm.',
    segment LowCardinality(String) COMMENT 'Segment.',
    currency LowCardinality(String) COMMENT 'Currency.',
    action LowCardinality(String) COMMENT 'Action.',
    channel LowCardinality(String) COMMENT 'Channel.',
    template LowCardinality(String) COMMENT 'Template.',
    decisions SimpleAggregateFunction(sum, UInt64) COMMENT 'Decisions.',
    contacts SimpleAggregateFunction(sum, UInt64) COMMENT 'Of them, contacts.',
    at_stake_minor SimpleAggregateFunction(sum, Int64) COMMENT 'At stake, minor units.',
    score_sum SimpleAggregateFunction(sum, Float64) COMMENT 'Sum of the scores.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, hour, policy, model, arm, segment, currency, action, channel, template)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums that decisions_hourly is read from. One or more rows a key, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_hourly_from_next_best_actions TO decisions_hourly_states AS
SELECT
    tenant_id,
    toStartOfHour(toDateTime(occurred_at, 'UTC')) AS hour,
    policy,
    model,
    arm,
    segment,
    currency,
    action,
    channel,
    template,
    count() AS decisions,
    countIf(contact_id != '') AS contacts,
    sum(ifNull(at_stake_minor, 0)) AS at_stake_minor,
    sum(ifNull(score, 0)) AS score_sum
FROM next_best_actions
WHERE valid
GROUP BY tenant_id, hour, policy, model, arm, segment, currency, action, channel, template
COMMENT 'Adds up decisions by what was chosen.';

CREATE VIEW IF NOT EXISTS decisions_hourly
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    hour DateTime('UTC') COMMENT 'Hour of the decisions, UTC.',
    policy LowCardinality(String) COMMENT 'Policy that decided, as kind:name@version.',
    model LowCardinality(String) COMMENT 'Model whose score was used.',
    arm LowCardinality(String) COMMENT 'policy = the best was chosen, explore = it was drawn, hold_out = the account is not contacted.',
    segment LowCardinality(String) COMMENT 'Segment of the account in the strategy.',
    currency LowCardinality(String) COMMENT 'Main currency of the account, that of at_stake_minor; empty = nothing was valued.',
    action LowCardinality(String) COMMENT 'Kind of action that was chosen: wait, contact, pre_due_reminder, offer_plan, hand_to_person, credit_hold.',
    channel LowCardinality(String) COMMENT 'Channel of the contact; empty = none.',
    template LowCardinality(String) COMMENT 'Template of the contact; empty = none.',
    decisions UInt64 COMMENT 'Decisions.',
    contacts UInt64 COMMENT 'Decisions that asked for a contact. Whether it left is in contact_funnel_daily.',
    at_stake_minor Int64 COMMENT 'Open in the currency on all invoices that one contact would cover, summed over the decisions; minor units. An account that is decided on twice counts twice.',
    mean_score Float64 COMMENT 'Mean of the scores, 0..1. Over several rows weight it by decisions.'
)
AS SELECT
    tenant_id,
    hour,
    policy,
    model,
    arm,
    segment,
    currency,
    action,
    channel,
    template,
    sum(states.decisions) AS decisions,
    sum(states.contacts) AS contacts,
    sum(states.at_stake_minor) AS at_stake_minor,
    sum(states.score_sum) / decisions AS mean_score
FROM decisions_hourly_states AS states
GROUP BY tenant_id, hour, policy, model, arm, segment, currency, action, channel, template
COMMENT 'Decisions by hour and by what was chosen. Decisions for shadow policies are not logged, so they are left out.';

-- Order key: dashboards ask for a tenant and a time, and rank rules within.
CREATE TABLE IF NOT EXISTS denials_hourly_states
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    hour DateTime('UTC') COMMENT 'Hour, UTC.',
    channel LowCardinality(String) COMMENT 'Channel.',
    rule LowCardinality(String) COMMENT 'Rule.',
    denials SimpleAggregateFunction(sum, UInt64) COMMENT 'Decisions in which the rule denies the channel.',
    accounts AggregateFunction(uniq, String) COMMENT 'Their accounts.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, hour, channel, rule)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums that denials_hourly is read from. One or more rows a key, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS denials_hourly_from_next_best_actions TO denials_hourly_states AS
SELECT
    tenant_id,
    toStartOfHour(toDateTime(occurred_at, 'UTC')) AS hour,
    denied.1 AS channel,
    denied.2 AS rule,
    count() AS denials,
    uniqState(account_id) AS accounts
FROM next_best_actions
ARRAY JOIN arrayDistinct(arrayFlatten(arrayMap(c -> arrayMap(rule -> (c.channel, rule), c.denied_by), candidates))) AS denied
WHERE valid
GROUP BY tenant_id, hour, channel, rule
COMMENT 'Counts which rule denied which channel.';

CREATE VIEW IF NOT EXISTS denials_hourly
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    hour DateTime('UTC') COMMENT 'Hour of the decisions, UTC.',
    channel LowCardinality(String) COMMENT 'Channel of the action that was denied; empty = an action without one.',
    rule LowCardinality(String) COMMENT 'Id of the rule (recoup compliance explains it).',
    denials UInt64 COMMENT 'Decisions in which the rule denies at least one action of the channel. A decision counts once for each rule that denies it, and what was chosen instead is not looked at.',
    accounts UInt64 COMMENT 'Different accounts of these decisions; above some 60,000 an estimate, about 0.5 % wrong. Of several rows they cannot be added up.'
)
AS SELECT
    tenant_id,
    hour,
    channel,
    rule,
    sum(states.denials) AS denials,
    uniqMerge(states.accounts) AS accounts
FROM denials_hourly_states AS states
GROUP BY tenant_id, hour, channel, rule
COMMENT 'Why contacts were denied, by hour. What dispatch denies right before sending is a contact.failed, and left out.';

-- Order key: dashboards ask for a tenant and a time.
CREATE TABLE IF NOT EXISTS limits_near_hourly_states
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    hour DateTime('UTC') COMMENT 'Hour, UTC.',
    channel LowCardinality(String) COMMENT 'Channel.',
    decisions SimpleAggregateFunction(sum, UInt64) COMMENT 'Decisions with a limit on the channel.',
    one_left SimpleAggregateFunction(sum, UInt64) COMMENT 'Of them, with one contact left.',
    none_left SimpleAggregateFunction(sum, UInt64) COMMENT 'Of them, with none left.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, hour, channel)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: sums that limits_near_hourly is read from. One or more rows a key, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS limits_near_hourly_from_next_best_actions TO limits_near_hourly_states AS
SELECT
    tenant_id,
    toStartOfHour(toDateTime(occurred_at, 'UTC')) AS hour,
    limited.1 AS channel,
    count() AS decisions,
    countIf(limited.2 = 1) AS one_left,
    countIf(limited.2 = 0) AS none_left
FROM next_best_actions
-- All actions of a channel have the same limits.
ARRAY JOIN arrayDistinct(arrayMap(c -> (c.channel, assumeNotNull(c.left)), arrayFilter(c -> c.left IS NOT NULL AND c.channel != '', candidates))) AS limited
WHERE valid
GROUP BY tenant_id, hour, channel
COMMENT 'Counts how near decisions are to the limits of contacts.';

CREATE VIEW IF NOT EXISTS limits_near_hourly
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    hour DateTime('UTC') COMMENT 'Hour of the decisions, UTC.',
    channel LowCardinality(String) COMMENT 'Channel that a limit binds: the law''s or the tenant''s own.',
    decisions UInt64 COMMENT 'Decisions that looked at an action of the channel and at its limits.',
    one_left UInt64 COMMENT 'Of them, those with exactly one contact left in the window of the strictest limit.',
    none_left UInt64 COMMENT 'Of them, those with none left.'
)
AS SELECT
    tenant_id,
    hour,
    channel,
    sum(states.decisions) AS decisions,
    sum(states.one_left) AS one_left,
    sum(states.none_left) AS none_left
FROM limits_near_hourly_states AS states
GROUP BY tenant_id, hour, channel
COMMENT 'How near accounts are to the limits of contacts, by hour. Decisions of policies that know no limits are left out.';

-- Order key: read whole, in order, by each refresh; a week's channel together.
CREATE TABLE IF NOT EXISTS allowance_weekly_states
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    week Date COMMENT 'Monday of the week, UTC.',
    channel LowCardinality(String) COMMENT 'Channel.',
    account_id String COMMENT 'Account.',
    last_left SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), left Int64, chosen UInt8)) COMMENT 'The last decision of the week: when, how many contacts the limits left before it, and whether it took one of them.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, week, channel, account_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: what the limits left each account at its last decision of each week. One or more rows an account, channel and week, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS allowance_weekly_from_next_best_actions TO allowance_weekly_states AS
SELECT
    tenant_id,
    toMonday(toDate(occurred_at)) AS week,
    limited.1 AS channel,
    account_id,
    (occurred_at, limited.2, toUInt8(next_best_actions.channel = limited.1 AND contact_id != '')) AS last_left
FROM next_best_actions
ARRAY JOIN arrayDistinct(arrayMap(c -> (c.channel, assumeNotNull(c.left)), arrayFilter(c -> c.left IS NOT NULL AND c.channel != '', candidates))) AS limited
WHERE valid
COMMENT 'Notes what the limits leave.';

-- Order key: dashboards ask for a tenant and weeks.
CREATE TABLE IF NOT EXISTS allowance_weekly_table
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    week Date COMMENT 'Monday of the week, UTC.',
    channel LowCardinality(String) COMMENT 'Channel.',
    accounts UInt64 COMMENT 'Accounts.',
    contacts_made UInt64 COMMENT 'Contacts that left.',
    contacts_left UInt64 COMMENT 'Contacts left.'
)
ENGINE = MergeTree
ORDER BY (tenant_id, week, channel)
COMMENT 'Internal: what the view allowance_weekly shows, made anew every hour. One row a week and channel.';

CREATE MATERIALIZED VIEW IF NOT EXISTS allowance_weekly_refreshed
REFRESH EVERY 1 HOUR TO allowance_weekly_table EMPTY AS
SELECT
    tenant_id,
    week,
    channel,
    sum(part.accounts) AS accounts,
    sum(part.contacts_made) AS contacts_made,
    sum(part.contacts_left) AS contacts_left
FROM
(
    SELECT
        tenant_id,
        week,
        channel,
        count() AS accounts,
        toUInt64(0) AS contacts_made,
        toUInt64(sum(greatest(last.left - last.chosen, 0))) AS contacts_left
    FROM
    (
        -- Each account's last decision comes with FINAL, one after another in the table's order. `materialize` has the
        -- tuple merged as a whole: of a part of it that is read alone, FINAL would take its own maximum.
        SELECT tenant_id, week, channel, materialize(last_left) AS last
        FROM allowance_weekly_states FINAL
    )
    GROUP BY tenant_id, week, channel
    UNION ALL
    SELECT tenant_id, toMonday(day) AS week, channel, 0, countIf(sent_at IS NOT NULL), 0
    FROM contacts_table
    WHERE (tenant_id, channel) IN (SELECT tenant_id, channel FROM allowance_weekly_states)
    GROUP BY tenant_id, week, channel
) AS part
GROUP BY tenant_id, week, channel
HAVING accounts > 0
COMMENT 'Adds up what was made and what was left.';

CREATE VIEW IF NOT EXISTS allowance_weekly
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    week Date COMMENT 'Monday of the week, UTC.',
    channel LowCardinality(String) COMMENT 'Channel that a limit binds: the law''s or the tenant''s own.',
    accounts UInt64 COMMENT 'Accounts that a decision of the week looked at with a limit on the channel.',
    contacts_made UInt64 COMMENT 'Contacts that left on the channel in the week, to any account of the tenant.',
    contacts_left UInt64 COMMENT 'Contacts that the strictest limit still left in its window after the last decision of the week, summed over the accounts.',
    unused_share Nullable(Float64) COMMENT 'contacts_left / (contacts_made + contacts_left), 0..1: the share of what was allowed that nobody used. Null when both are 0. Windows of limits are not calendar weeks, so it is a measure and no account.'
)
AS SELECT
    tenant_id,
    week,
    channel,
    accounts,
    contacts_made,
    contacts_left,
    if(contacts_made + contacts_left = 0, NULL, contacts_left / (contacts_made + contacts_left)) AS unused_share
FROM allowance_weekly_table
COMMENT 'How much of the contacts that limits allow is left unused, by week. Up to an hour old.';
