-- Contacts from decision to cash: one row a contact, and what is counted by day from it.
--
-- Decisions, requests, reports of providers, answers and money arrive in any order, in blocks of their own. So everything
-- that is known of a contact is a minimum, maximum or sum under its id, which come out the same in whatever order rows
-- land, and however often a source repeats an event. What has to be seen together, such as the contact that a promise
-- followed, is worked out every five minutes from these.

-- What decisions were chosen from, parsed once for all views on the table. Of rows that landed before, it is computed
-- when it is read.
ALTER TABLE next_best_actions
    ADD COLUMN IF NOT EXISTS candidates Array(Tuple(action String, channel String, template String, denied_by Array(String), cost Float64, left Nullable(Int64)))
        DEFAULT JSONExtract(payload, 'actions', 'Array(Tuple(action String, channel String, template String, denied_by Array(String), cost Float64, left Nullable(Int64)))')
        COMMENT 'The set that was looked at, as far as limits and costs are counted from it: denied_by are the rules that deny it, cost is in minor units of `currency`, left is how many contacts the limits leave in their window, this one included (null = no limit binds). The alias `actions` has every field.'
        AFTER reasons;

-- Order key: every refresh reads it whole, in order, account by account, so nothing has to be sorted or hashed; kind
-- before id, so that promises and complaints are found without reading the contacts beside them.
CREATE TABLE IF NOT EXISTS contacts_states
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    account_id String COMMENT 'Account.',
    kind LowCardinality(String) COMMENT 'contact, promise, complaint, opt_out, reply or inbound_call.',
    id String COMMENT 'Of the contact or the promise; of a complaint its complaint_id, or its event where it has none; of an opt-out that a text said, the contact that confirms it; of other opt-outs, replies, inbound calls, and calls that name no contact, the event.',
    decision_id SimpleAggregateFunction(max, String) COMMENT 'Decision that chose the contact; empty = somebody else made it.',
    channel SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Channel of the contact; of an answer the channel that it names.',
    template SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Template of the contact.',
    purpose SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Purpose of the contact.',
    policy SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Policy that decided.',
    arm SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Arm of the decision.',
    segment SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Segment of the account at the decision.',
    currency SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Currency of the decision; of a promise, its own.',
    decided_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was decided, UTC.',
    requested_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was asked for, UTC.',
    sent_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it left, or the call ended if nothing says when it began, UTC.',
    delivered_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was delivered, UTC.',
    opened_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was first opened, UTC.',
    clicked_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When a link in it was first followed, UTC.',
    replied_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When the first reply to it came, UTC.',
    told_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When the promise, complaint, opt-out, reply or inbound call came, UTC.',
    bounced SimpleAggregateFunction(max, Bool) COMMENT 'It left and could not be delivered.',
    failed SimpleAggregateFunction(max, Bool) COMMENT 'It never left.',
    handover SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'accepted, or unknown if any report of its sending says so.',
    last_call SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), outcome String, agent String, handle_seconds Nullable(Float64))) COMMENT 'The last call of the contact.',
    cost_minor SimpleAggregateFunction(max, Float64) COMMENT 'Cost of the chosen action, minor units of the currency.',
    cash SimpleAggregateFunction(sumMap, Map(String, Int64)) COMMENT 'Currency -> money that came within 14 days of it as the last contact; minor units. What went back is not taken off.',
    amount_minor SimpleAggregateFunction(max, Nullable(Int64)) COMMENT 'Promised, minor units.',
    due_on SimpleAggregateFunction(max, Nullable(Date32)) COMMENT 'The promised day.',
    kept SimpleAggregateFunction(max, Bool) COMMENT 'The promise was kept.',
    broken SimpleAggregateFunction(max, Bool) COMMENT 'The promise was broken.',
    cancelled SimpleAggregateFunction(max, Bool) COMMENT 'The promise was cancelled.'
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, account_id, kind, id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Internal: what is known of each contact, and of each promise, complaint, opt-out, reply and inbound call. One or more rows each, until they are merged.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_from_next_best_actions TO contacts_states AS
SELECT
    tenant_id,
    account_id,
    kind,
    contact_id AS id,
    decision_id,
    channel,
    template,
    purpose,
    policy,
    arm,
    segment,
    currency,
    if(kind = 'contact', occurred_at, NULL) AS decided_at,
    if(kind = 'opt_out', occurred_at, NULL) AS told_at,
    -- In doubt the dearer of two candidates with the same words.
    arrayMax(arrayMap(c -> if(c.action = action AND c.channel = channel AND c.template = template, c.cost, 0), candidates)) AS cost_minor
FROM next_best_actions
-- An opt-out that decide has read in a text is no event of its own; what tells of it is that it is confirmed, within seconds.
ARRAY JOIN if(purpose = 'opt_out_confirmation', ['contact', 'opt_out'], ['contact']) AS kind
WHERE valid AND contact_id != ''
COMMENT 'What the decision says of the contact that it chose, and of the opt-out that it confirms.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_from_contact_requests TO contacts_states AS
SELECT
    tenant_id,
    account_id,
    'contact' AS kind,
    contact_id AS id,
    decision_id,
    channel,
    template,
    purpose,
    occurred_at AS requested_at
FROM contact_requests
WHERE valid
COMMENT 'That the contact was asked for.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_from_interaction_events TO contacts_states AS
SELECT
    tenant_id,
    account_id,
    kind,
    multiIf(
        kind = 'promise', promise_id,
        kind = 'complaint' AND complaint_id != '', complaint_id,
        kind = 'contact' AND contact_id != '', contact_id,
        event_id) AS id,
    decision_id,
    -- A contact by voicemail stays one: of two channels the greater name counts.
    if(type = 'call.completed', 'call', channel) AS channel,
    template,
    purpose,
    currency,
    if(type IN ('contact.sent', 'call.completed') AND kind = 'contact', occurred_at, NULL) AS sent_at,
    if(type = 'contact.delivered', occurred_at, NULL) AS delivered_at,
    if(type = 'contact.opened', occurred_at, NULL) AS opened_at,
    if(type = 'contact.clicked', occurred_at, NULL) AS clicked_at,
    if(type = 'reply.received' AND kind = 'contact', occurred_at, NULL) AS replied_at,
    if(kind != 'contact' AND type != 'promise.cancelled', occurred_at, NULL) AS told_at,
    type = 'contact.bounced' AS bounced,
    type = 'contact.failed' AS failed,
    if(type = 'contact.sent', if(JSONExtractString(payload, 'handover') = 'unknown', 'unknown', 'accepted'), '') AS handover,
    if(type = 'call.completed',
        (occurred_at, outcome, agent, handle_seconds),
        (toDateTime64(0, 3, 'UTC'), '', '', NULL)) AS last_call,
    if(type = 'promise.made', amount_minor, NULL) AS amount_minor,
    if(type = 'promise.made', due_on, NULL) AS due_on,
    type = 'promise.cancelled' AS cancelled
FROM interaction_events
ARRAY JOIN multiIf(
    type IN ('promise.made', 'promise.cancelled'), ['promise'],
    type = 'complaint.received', ['complaint'],
    type IN ('opt_out.received', 'reply.read'), ['opt_out'],
    type = 'call.completed' AND direction = 'inbound', ['inbound_call'],
    -- A reply that names no contact answers none.
    type = 'reply.received', if(contact_id = '', ['reply'], ['reply', 'contact']),
    ['contact']) AS kind
WHERE valid
    AND (type IN (
        'contact.sent', 'contact.delivered', 'contact.bounced', 'contact.failed', 'contact.opened', 'contact.clicked',
        'call.completed', 'reply.received', 'promise.made', 'promise.cancelled', 'complaint.received', 'opt_out.received')
        OR (type = 'reply.read' AND intent = 'opt_out'))
COMMENT 'What providers and customers say of contacts, and promises, complaints, opt-outs, replies and inbound calls.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_from_customer_events TO contacts_states AS
SELECT
    tenant_id,
    account_id,
    'promise' AS kind,
    promise_id AS id,
    currency,
    amount_minor,
    due_on,
    type = 'promise.kept' AS kept,
    type = 'promise.broken' AS broken
FROM customer_events
WHERE valid AND type IN ('promise.kept', 'promise.broken')
COMMENT 'What became of promises.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_from_ledger_postings TO contacts_states AS
SELECT
    tenant_id,
    account_id,
    'contact' AS kind,
    contact_id AS id,
    contact_channel AS channel,
    map(toString(currency), ifNull(cash_minor, 0)) AS cash
FROM ledger_postings
WHERE valid AND contact_id != '' AND cash_minor != 0
COMMENT 'Money by the contact that it followed.';

-- Order key: dashboards ask for a tenant and days.
CREATE TABLE IF NOT EXISTS answers_table
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day on which it came.',
    kind LowCardinality(String) COMMENT 'promise, complaint, opt_out, reply or inbound_call.',
    account_id String COMMENT 'Account.',
    id String COMMENT 'Of the promise or complaint; else of the event.',
    at DateTime64(3, 'UTC') COMMENT 'When it came, UTC.',
    channel LowCardinality(String) COMMENT 'Channel that it names; empty = none.',
    contact_id String COMMENT 'The last contact about a debt within 14 days before; empty = none.',
    contact_channel LowCardinality(String) COMMENT 'Channel of that contact; empty = none.',
    currency LowCardinality(String) COMMENT 'Of a promise.',
    amount_minor Nullable(Int64) COMMENT 'Of a promise: what was promised, minor units.',
    due_on Nullable(Date32) COMMENT 'Of a promise: the promised day, on the tenant''s calendar.',
    kept Nullable(Bool) COMMENT 'Of a promise: true = kept, false = broken, null = not judged (yet), as when it was cancelled.',
    cancelled Bool COMMENT 'Of a promise: it was cancelled.',
    agent LowCardinality(String) COMMENT 'Of an inbound call: who answered it.',
    outcome LowCardinality(String) COMMENT 'Of an inbound call: its outcome.',
    handle_seconds Nullable(Float64) COMMENT 'Of an inbound call: seconds of the agent.'
)
ENGINE = MergeTree
ORDER BY (tenant_id, day, kind, account_id, id)
COMMENT 'Internal: what the view answers shows, made anew every five minutes. One row an answer.';

-- An answer belongs to the last contact about a debt that had left when it came, no more than 14 days before, unless the
-- contact bounced, or the call reached nobody or the wrong person: the last touch that money is put down to as well. Only
-- accounts that have answered are joined, so what is held in memory is small.
-- `materialize` has a tuple or map merged as a whole: of a part of it that is read alone, FINAL would take its own maximum.
CREATE MATERIALIZED VIEW IF NOT EXISTS answers_refreshed
REFRESH EVERY 5 MINUTE TO answers_table EMPTY AS
WITH
    replies AS
    (
        SELECT tenant_id, account_id, id, told_at
        FROM contacts_states FINAL
        WHERE kind = 'reply'
    ),
    -- Opt-outs that have an event.
    opted AS
    (
        SELECT tenant_id, account_id, groupArray(told_at) AS times
        FROM contacts_states FINAL
        WHERE kind = 'opt_out' AND policy = ''
        GROUP BY tenant_id, account_id
    ),
    said AS
    (
        SELECT
            found.tenant_id AS tenant_id,
            found.account_id AS account_id,
            found.kind AS kind,
            found.id AS id,
            -- A promise that was read in a reply has the reply's id and no event of its own.
            coalesce(found.told_at, replies.told_at) AS at,
            found.channel AS channel,
            found.currency AS currency,
            found.amount_minor AS amount_minor,
            found.due_on AS due_on,
            multiIf(found.kept, true, found.broken, false, NULL) AS kept,
            found.cancelled AS cancelled,
            found.last_call AS last_call
        FROM
        (
            SELECT * REPLACE materialize(last_call) AS last_call
            FROM contacts_states FINAL
            WHERE kind IN ('promise', 'complaint', 'opt_out', 'reply', 'inbound_call')
        ) AS found
        LEFT JOIN replies
            ON found.tenant_id = replies.tenant_id AND found.account_id = replies.account_id AND found.id = replies.id
        LEFT JOIN opted ON found.tenant_id = opted.tenant_id AND found.account_id = opted.account_id
        -- An opt-out that has an event and is confirmed as well is one.
        WHERE NOT (
            found.kind = 'opt_out' AND found.policy != ''
            AND arrayExists(time -> time BETWEEN found.told_at - INTERVAL 1 HOUR AND found.told_at, opted.times))
    ),
    touches AS
    (
        SELECT tenant_id, account_id, assumeNotNull(sent_at) AS at, max((id, channel)) AS contact
        FROM contacts_states FINAL
        WHERE kind = 'contact' AND sent_at IS NOT NULL AND NOT bounced AND NOT failed
            AND purpose IN ('collection', 'validation_notice')
            AND tupleElement(materialize(last_call), 'outcome') NOT IN ('not_connected', 'wrong_party')
            AND (tenant_id, account_id) IN (SELECT tenant_id, account_id FROM contacts_states WHERE kind != 'contact')
        GROUP BY tenant_id, account_id, at
    )
SELECT
    tenant_id,
    toDate(at) AS day,
    kind,
    account_id,
    id,
    at,
    channel,
    if(recent, last_contact.1, '') AS contact_id,
    if(recent, last_contact.2, '') AS contact_channel,
    currency,
    amount_minor,
    due_on,
    kept,
    cancelled,
    last_call.agent AS agent,
    last_call.outcome AS outcome,
    last_call.handle_seconds AS handle_seconds
FROM
(
    SELECT said.* EXCEPT at, assumeNotNull(said.at) AS at, touches.contact AS last_contact, touches.at >= said.at - INTERVAL 14 DAY AS recent
    FROM (SELECT * FROM said WHERE at IS NOT NULL) AS said
    ASOF LEFT JOIN touches
        ON said.tenant_id = touches.tenant_id AND said.account_id = touches.account_id AND said.at >= touches.at
)
COMMENT 'Puts each promise, complaint, opt-out, reply and inbound call beside the contact that it followed.';

CREATE VIEW IF NOT EXISTS answers
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day on which it came.',
    kind LowCardinality(String) COMMENT 'promise, complaint, opt_out, reply or inbound_call.',
    account_id String COMMENT 'Account.',
    id String COMMENT 'promise_id (of a promise that was read in a reply, the reply''s event) or complaint_id; of an opt-out that was said in a text, the contact that confirms it; else the event.',
    at DateTime64(3, 'UTC') COMMENT 'When it came, UTC; of an opt-out that was said in a text, when it was confirmed.',
    channel LowCardinality(String) COMMENT 'Channel that it names: of an opt-out the one that is closed (all = every one); empty = none.',
    contact_id String COMMENT 'The last contact about a debt that left within 14 days before it and, as far as is known, reached the customer; empty = none did.',
    contact_channel LowCardinality(String) COMMENT 'Channel of that contact; empty = none.',
    currency LowCardinality(String) COMMENT 'Currency of a promise.',
    amount_minor Nullable(Int64) COMMENT 'What was promised, minor units of the currency.',
    due_on Nullable(Date32) COMMENT 'The promised day, on the tenant''s calendar.',
    kept Nullable(Bool) COMMENT 'Of a promise: true = kept, false = broken, null = not judged (yet), as when it was cancelled.',
    cancelled Bool COMMENT 'The promise was cancelled.',
    agent LowCardinality(String) COMMENT 'Who answered an inbound call; empty = not told.',
    outcome LowCardinality(String) COMMENT 'Outcome of an inbound call.',
    handle_seconds Nullable(Float64) COMMENT 'Seconds that the agent spent on an inbound call.'
)
AS SELECT tenant_id, day, kind, account_id, id, at, channel, contact_id, contact_channel, currency, amount_minor, due_on, kept, cancelled, agent, outcome, handle_seconds
FROM answers_table
COMMENT 'Promises, complaints, opt-outs, replies and inbound calls, each beside the contact that it followed. A repeated event counts once. Left out: promises that were read in a reply, until they are judged; opt-outs that were read in a mail and that nobody confirms. Up to five minutes old.';

-- Order key: dashboards ask for a tenant and days; an account's contacts are found by the index.
CREATE TABLE IF NOT EXISTS contacts_table
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day on which it left, else of the first thing known of it.',
    account_id String COMMENT 'Account.',
    contact_id String COMMENT 'Contact.',
    decision_id String COMMENT 'Decision that chose it; empty = somebody else made it.',
    channel LowCardinality(String) COMMENT 'Channel.',
    template LowCardinality(String) COMMENT 'Template.',
    purpose LowCardinality(String) COMMENT 'Purpose.',
    policy LowCardinality(String) COMMENT 'Policy that decided.',
    arm LowCardinality(String) COMMENT 'Arm of the decision.',
    segment LowCardinality(String) COMMENT 'Segment of the account at the decision.',
    currency LowCardinality(String) COMMENT 'Currency of the amounts of this row.',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was decided, UTC.',
    requested_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was asked for, UTC.',
    sent_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it left, UTC.',
    delivered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was delivered, UTC.',
    opened_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was first opened, UTC.',
    clicked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When a link in it was first followed, UTC.',
    replied_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the first reply to it came, UTC.',
    bounced Bool COMMENT 'It could not be delivered.',
    failed Bool COMMENT 'It never left.',
    handover LowCardinality(String) COMMENT 'accepted or unknown; empty = it has not left.',
    call_outcome LowCardinality(String) COMMENT 'Outcome of its last call.',
    agent LowCardinality(String) COMMENT 'Who called.',
    handle_seconds Nullable(Float64) COMMENT 'Seconds of the agent.',
    cost_minor Float64 COMMENT 'Cost, minor units.',
    collected_minor Int64 COMMENT 'Money that followed it, minor units.',
    promise_id String COMMENT 'The first promise that followed it.',
    promise_kept Nullable(Bool) COMMENT 'Of that promise.',
    promises UInt64 COMMENT 'Promises that followed it.',
    promises_kept UInt64 COMMENT 'Of them, kept.',
    promised_minor Int64 COMMENT 'What they promise in the currency of the row.',
    complaints UInt64 COMMENT 'Complaints that followed it.',
    opt_outs UInt64 COMMENT 'Opt-outs that followed it.',
    INDEX of_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (tenant_id, day, channel, account_id, contact_id)
COMMENT 'Internal: what the view contacts shows, made anew every five minutes. One row a contact.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_refreshed
REFRESH EVERY 5 MINUTE DEPENDS ON answers_refreshed TO contacts_table EMPTY AS
WITH answered AS
(
    SELECT
        tenant_id,
        account_id,
        contact_id,
        argMinIf((id, kept), (at, id), kind = 'promise') AS first_promise,
        countIf(kind = 'promise') AS promises,
        countIf(kind = 'promise' AND ifNull(kept, false)) AS promises_kept,
        sumMapIf(map(toString(currency), ifNull(amount_minor, 0)), kind = 'promise') AS promised,
        countIf(kind = 'complaint') AS complaints,
        countIf(kind = 'opt_out') AS opt_outs
    FROM answers_table
    WHERE contact_id != ''
    GROUP BY tenant_id, account_id, contact_id
)
SELECT
    made.tenant_id AS tenant_id,
    toDate(coalesce(sent_at, decided_at, requested_at, delivered_at, opened_at, clicked_at, replied_at, toDateTime64(0, 3, 'UTC'))) AS day,
    made.account_id AS account_id,
    made.id AS contact_id,
    decision_id,
    channel,
    template,
    purpose,
    policy,
    arm,
    segment,
    multiIf(
        made.currency != '', made.currency,
        notEmpty(made.cash), mapKeys(made.cash)[1],
        notEmpty(answered.promised), mapKeys(answered.promised)[1],
        '') AS currency,
    decided_at,
    requested_at,
    sent_at,
    delivered_at,
    opened_at,
    clicked_at,
    replied_at,
    bounced,
    failed,
    handover,
    last_call.outcome AS call_outcome,
    last_call.agent AS agent,
    last_call.handle_seconds AS handle_seconds,
    cost_minor,
    made.cash[currency] AS collected_minor,
    answered.first_promise.1 AS promise_id,
    answered.first_promise.2 AS promise_kept,
    answered.promises AS promises,
    answered.promises_kept AS promises_kept,
    answered.promised[currency] AS promised_minor,
    answered.complaints AS complaints,
    answered.opt_outs AS opt_outs
FROM
(
    SELECT * REPLACE (materialize(last_call) AS last_call, materialize(cash) AS cash)
    FROM contacts_states FINAL
    WHERE kind = 'contact'
) AS made
LEFT JOIN answered ON made.tenant_id = answered.tenant_id AND made.account_id = answered.account_id AND made.id = answered.contact_id
COMMENT 'Finishes every contact.';

CREATE VIEW IF NOT EXISTS contacts
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day on which the contact left; of one that has not left, of its decision (or of the first thing known of it).',
    account_id String COMMENT 'Account.',
    contact_id String COMMENT 'Contact; of a call that names none, the id of its event.',
    decision_id String COMMENT 'Decision that chose it; empty = somebody else made the contact.',
    channel LowCardinality(String) COMMENT 'call, voicemail, sms, email or letter.',
    template LowCardinality(String) COMMENT 'Template whose words it has; empty = none is known.',
    purpose LowCardinality(String) COMMENT 'collection, transactional, opt_out_confirmation, consent_request or validation_notice.',
    policy LowCardinality(String) COMMENT 'Policy that decided; empty = the decision is not known.',
    arm LowCardinality(String) COMMENT 'policy = the best was chosen, explore = it was drawn; empty = the decision is not known.',
    segment LowCardinality(String) COMMENT 'Segment of the account in the strategy that decided.',
    currency LowCardinality(String) COMMENT 'Currency of the amounts of this row: that of the decision, else of the money, else of the promise.',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was decided, UTC.',
    requested_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When dispatch was asked to send it, UTC.',
    sent_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it left, UTC; of a call that nobody told the beginning of, its end. Null = it has not left.',
    delivered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the provider says that it arrived, UTC.',
    opened_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was first opened, UTC.',
    clicked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When a link in it was first followed, UTC.',
    replied_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the first reply that names this contact came, UTC.',
    bounced Bool COMMENT 'It left and could not be delivered.',
    failed Bool COMMENT 'It never left: dispatch says why as the code of contact.failed.',
    handover LowCardinality(String) COMMENT 'accepted, or unknown if the provider did not answer (it counts as sent); empty = it has not left.',
    call_outcome LowCardinality(String) COMMENT 'Of its last call: conversation (with the right party), third_party, wrong_party, voicemail, no_answer or not_connected; empty = no call of it has ended.',
    agent LowCardinality(String) COMMENT 'Who made its last call; empty = nobody or not told.',
    handle_seconds Nullable(Float64) COMMENT 'Seconds that the agent spent on its last call.',
    cost_minor Float64 COMMENT 'What the strategy reckons that it costs, money and minutes, in minor units with fractions: a text costs less than one. 0 where the policy knows no costs.',
    collected_minor Int64 COMMENT 'Money received within 14 days after it while it was the last contact about a debt of the account, minor units. What of it went back is not taken off. Money in another currency than that of the row is left out.',
    promise_id String COMMENT 'The first promise within 14 days after it while it was the last contact about a debt of the account; empty = none.',
    promise_kept Nullable(Bool) COMMENT 'Of that promise: true = kept, false = broken, null = none or not judged (yet).',
    promises UInt64 COMMENT 'Promises within 14 days after it while it was the last contact about a debt of the account.',
    promises_kept UInt64 COMMENT 'Of these promises, kept so far.',
    promised_minor Int64 COMMENT 'What these promises promise, minor units; other currencies than that of the row are left out.',
    complaints UInt64 COMMENT 'Complaints within 14 days after it while it was the last contact about a debt of the account.',
    opt_outs UInt64 COMMENT 'Opt-outs within 14 days after it while it was the last contact about a debt of the account.'
)
AS SELECT tenant_id, day, account_id, contact_id, decision_id, channel, template, purpose, policy, arm, segment, currency, decided_at, requested_at, sent_at, delivered_at, opened_at, clicked_at, replied_at, bounced, failed, handover, call_outcome, agent, handle_seconds, cost_minor, collected_minor, promise_id, promise_kept, promises, promises_kept, promised_minor, complaints, opt_outs
FROM contacts_table
COMMENT 'One row a contact, from decision to cash. Inbound calls are no contacts (see answers). Up to five minutes old.';

-- Order key: dashboards ask for a tenant and days.
CREATE TABLE IF NOT EXISTS contact_funnel_daily_table
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day.',
    channel LowCardinality(String) COMMENT 'Channel.',
    template LowCardinality(String) COMMENT 'Template.',
    policy LowCardinality(String) COMMENT 'Policy.',
    arm LowCardinality(String) COMMENT 'Arm.',
    currency LowCardinality(String) COMMENT 'Currency.',
    decided UInt64 COMMENT 'Contacts with a known decision.',
    dispatched UInt64 COMMENT 'Contacts that left.',
    delivered UInt64 COMMENT 'Contacts that were delivered.',
    opened UInt64 COMMENT 'Contacts that were opened.',
    clicked UInt64 COMMENT 'Contacts with a link that was followed.',
    replied UInt64 COMMENT 'Contacts that were replied to.',
    dials UInt64 COMMENT 'Calls.',
    connects UInt64 COMMENT 'Calls that a person took.',
    right_party UInt64 COMMENT 'Calls with the right party.',
    promises UInt64 COMMENT 'Promises.',
    promises_kept UInt64 COMMENT 'Promises kept.',
    collected_minor Int64 COMMENT 'Money, minor units.',
    cost_minor Float64 COMMENT 'Cost, minor units.',
    complaints UInt64 COMMENT 'Complaints.',
    opt_outs UInt64 COMMENT 'Opt-outs.'
)
ENGINE = MergeTree
ORDER BY (tenant_id, day, channel, template, policy, arm, currency)
COMMENT 'Internal: what the view contact_funnel_daily shows, made anew every five minutes. One row a day, channel, template, policy, arm and currency.';

CREATE MATERIALIZED VIEW IF NOT EXISTS contact_funnel_daily_refreshed
REFRESH EVERY 5 MINUTE DEPENDS ON contacts_refreshed TO contact_funnel_daily_table EMPTY AS
SELECT
    tenant_id,
    day,
    channel,
    template,
    policy,
    arm,
    currency,
    countIf(decided_at IS NOT NULL) AS decided,
    countIf(sent_at IS NOT NULL) AS dispatched,
    countIf(delivered_at IS NOT NULL) AS delivered,
    countIf(opened_at IS NOT NULL) AS opened,
    countIf(clicked_at IS NOT NULL) AS clicked,
    countIf(replied_at IS NOT NULL) AS replied,
    countIf(call_outcome != '') AS dials,
    countIf(call_outcome IN ('conversation', 'third_party', 'wrong_party')) AS connects,
    countIf(call_outcome = 'conversation') AS right_party,
    sum(promises) AS promises,
    sum(promises_kept) AS promises_kept,
    sum(collected_minor) AS collected_minor,
    sumIf(cost_minor, sent_at IS NOT NULL) AS cost_minor,
    sum(complaints) AS complaints,
    sum(opt_outs) AS opt_outs
FROM contacts_table
GROUP BY tenant_id, day, channel, template, policy, arm, currency
COMMENT 'Counts the contacts of each day.';

CREATE VIEW IF NOT EXISTS contact_funnel_daily
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day on which the contacts left; of those that have not left, of their decision. All columns count by this day, whenever the answer came.',
    channel LowCardinality(String) COMMENT 'call, voicemail, sms, email or letter.',
    template LowCardinality(String) COMMENT 'Template; empty = none is known.',
    policy LowCardinality(String) COMMENT 'Policy that decided; empty = the decision is not known.',
    arm LowCardinality(String) COMMENT 'policy or explore; empty = the decision is not known. Accounts that are held out get no contacts.',
    currency LowCardinality(String) COMMENT 'Currency of the amounts.',
    decided UInt64 COMMENT 'Contacts that a known decision chose.',
    dispatched UInt64 COMMENT 'Contacts that left, those with an unknown handover included.',
    delivered UInt64 COMMENT 'Contacts that the provider says arrived.',
    opened UInt64 COMMENT 'Contacts that were opened at least once.',
    clicked UInt64 COMMENT 'Contacts with a link that was followed at least once.',
    replied UInt64 COMMENT 'Contacts with at least one reply that names them.',
    dials UInt64 COMMENT 'Contacts with a call that has ended.',
    connects UInt64 COMMENT 'Of the dials, those whose last call a person took: conversation, third_party or wrong_party. Voicemail is none.',
    right_party UInt64 COMMENT 'Of the dials, those whose last call was a conversation with the right party.',
    promises UInt64 COMMENT 'Promises within 14 days after a contact while it was the last one about a debt of its account.',
    promises_kept UInt64 COMMENT 'Of these promises, kept so far.',
    collected_minor Int64 COMMENT 'Money received within 14 days after a contact while it was the last one about a debt of its account; minor units. What of it went back is not taken off. Last touch, no causal effect.',
    cost_minor Float64 COMMENT 'Cost of the contacts that left as the strategy reckons it, minor units with fractions. Cost per unit collected = cost_minor / collected_minor.',
    complaints UInt64 COMMENT 'Complaints within 14 days after a contact while it was the last one about a debt of its account. Complaints without such a contact are in complaints_daily only.',
    opt_outs UInt64 COMMENT 'Opt-outs within 14 days after a contact while it was the last one about a debt of its account. Others are in complaints_daily only.'
)
AS SELECT tenant_id, day, channel, template, policy, arm, currency, decided, dispatched, delivered, opened, clicked, replied, dials, connects, right_party, promises, promises_kept, collected_minor, cost_minor, complaints, opt_outs
FROM contact_funnel_daily_table
COMMENT 'From decision to cash, by day of the contact. Up to five minutes old.';

CREATE VIEW IF NOT EXISTS complaints_daily
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day: contacts by when they left, complaints and opt-outs by when they came.',
    channel LowCardinality(String) COMMENT 'Channel of the contacts; of a complaint the one that it names, else that of the last contact within 14 days before, else empty; of an opt-out the one that is closed (all = every one).',
    contacts UInt64 COMMENT 'Contacts that left.',
    complaints UInt64 COMMENT 'Complaints; one that is told twice under one id counts once.',
    opt_outs UInt64 COMMENT 'Opt-outs.',
    complaints_per_1000 Nullable(Float64) COMMENT '1000 * complaints / contacts; null without contacts. Over several days divide the sums.',
    opt_outs_per_1000 Nullable(Float64) COMMENT '1000 * opt_outs / contacts; null without contacts. Over several days divide the sums.'
)
AS SELECT
    tenant_id,
    day,
    channel,
    sum(part.contacts) AS contacts,
    sum(part.complaints) AS complaints,
    sum(part.opt_outs) AS opt_outs,
    if(contacts = 0, NULL, 1000 * complaints / contacts) AS complaints_per_1000,
    if(contacts = 0, NULL, 1000 * opt_outs / contacts) AS opt_outs_per_1000
FROM
(
    SELECT tenant_id, day, channel, dispatched AS contacts, toUInt64(0) AS complaints, toUInt64(0) AS opt_outs
    FROM contact_funnel_daily_table
    WHERE dispatched > 0
    UNION ALL
    SELECT
        tenant_id,
        day,
        if(kind = 'complaint' AND channel = '', contact_channel, channel) AS channel,
        toUInt64(0) AS contacts,
        toUInt64(kind = 'complaint') AS complaints,
        toUInt64(kind = 'opt_out') AS opt_outs
    FROM answers_table
    WHERE kind IN ('complaint', 'opt_out')
) AS part
GROUP BY tenant_id, day, channel
COMMENT 'Complaints and opt-outs per 1,000 contacts. Up to five minutes old.';

CREATE VIEW IF NOT EXISTS agents_daily
(
    tenant_id LowCardinality(String) COMMENT 'Tenant.',
    day Date COMMENT 'UTC day of the call. All columns count by this day, whenever the money came.',
    agent LowCardinality(String) COMMENT 'Who called or answered, as the telephone system names them. Calls that name nobody are left out.',
    currency LowCardinality(String) COMMENT 'Currency of the amounts; empty = the call led to none, nor was it decided on.',
    dials UInt64 COMMENT 'Contacts whose last call was made by the agent.',
    connects UInt64 COMMENT 'Of the dials, those that a person took: conversation, third_party or wrong_party.',
    right_party UInt64 COMMENT 'Of the dials, conversations with the right party.',
    inbound UInt64 COMMENT 'Inbound calls that the agent answered.',
    promises UInt64 COMMENT 'Promises within 14 days after a dial while it was the last one about a debt of its account.',
    promised_minor Int64 COMMENT 'What these promises promise, minor units.',
    promises_kept UInt64 COMMENT 'Of these promises, kept so far.',
    handle_seconds Float64 COMMENT 'Seconds of dials and inbound calls; calls of unknown length count 0.',
    collected_minor Int64 COMMENT 'Money received within 14 days after a dial while it was the last one about a debt of its account; minor units. What of it went back is not taken off.'
)
AS SELECT
    tenant_id,
    day,
    agent,
    currency,
    sum(part.dials) AS dials,
    sum(part.connects) AS connects,
    sum(part.right_party) AS right_party,
    sum(part.inbound) AS inbound,
    sum(part.promises) AS promises,
    sum(part.promised_minor) AS promised_minor,
    sum(part.promises_kept) AS promises_kept,
    sum(part.handle_seconds) AS handle_seconds,
    sum(part.collected_minor) AS collected_minor
FROM
(
    SELECT
        tenant_id,
        day,
        agent,
        currency,
        toUInt64(1) AS dials,
        toUInt64(call_outcome IN ('conversation', 'third_party', 'wrong_party')) AS connects,
        toUInt64(call_outcome = 'conversation') AS right_party,
        toUInt64(0) AS inbound,
        promises,
        promised_minor,
        promises_kept,
        ifNull(handle_seconds, 0) AS handle_seconds,
        collected_minor
    FROM contacts_table
    WHERE agent != ''
    UNION ALL
    SELECT tenant_id, day, agent, '', 0, 0, 0, 1, 0, 0, 0, ifNull(handle_seconds, 0), 0
    FROM answers_table
    WHERE kind = 'inbound_call' AND agent != ''
) AS part
GROUP BY tenant_id, day, agent, currency
COMMENT 'What each agent has done and what followed from it. Up to five minutes old.';
