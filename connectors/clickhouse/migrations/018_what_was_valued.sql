-- What a decision was valued by, every term of every action's value, and who vouches for a policy.
ALTER TABLE next_best_actions
    ADD COLUMN IF NOT EXISTS segment LowCardinality(String) AFTER arm,
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER segment,
    ADD COLUMN IF NOT EXISTS experiment LowCardinality(String) AFTER currency,
    ADD COLUMN IF NOT EXISTS at_stake_minor Nullable(Int64) AFTER decision_no,
    ADD COLUMN IF NOT EXISTS pay_wait Nullable(Float64) AFTER score,
    ADD COLUMN IF NOT EXISTS hold_out Nullable(Float64) AFTER pay_wait,
    ADD COLUMN IF NOT EXISTS explore Nullable(Float64) AFTER hold_out,
    -- Computed when it is read.
    MODIFY COLUMN actions Array(Tuple(action String, channel String, template String, value Float64, probability Float64, allowed Bool, denied_by Array(String), id String, pay_action Nullable(Float64), lift_low Float64, gain Float64, cost Float64, friction Float64, scarcity Float64, left Nullable(Int64)))
        ALIAS JSONExtract(payload, 'actions', 'Array(Tuple(action String, channel String, template String, value Float64, probability Float64, allowed Bool, denied_by Array(String), id String, pay_action Nullable(Float64), lift_low Float64, gain Float64, cost Float64, friction Float64, scarcity Float64, left Nullable(Int64)))');

ALTER TABLE policy_releases
    ADD COLUMN IF NOT EXISTS signature String AFTER ends_at;
