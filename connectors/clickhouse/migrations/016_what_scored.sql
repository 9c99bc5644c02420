-- What a trained model says besides its score, and the feature values that it saw.
ALTER TABLE propensity_scores
    ADD COLUMN IF NOT EXISTS role LowCardinality(String) AFTER model,
    ADD COLUMN IF NOT EXISTS target LowCardinality(String) AFTER role,
    ADD COLUMN IF NOT EXISTS invoice_id String AFTER target,
    ADD COLUMN IF NOT EXISTS band LowCardinality(String) AFTER probability,
    ADD COLUMN IF NOT EXISTS uncertainty Nullable(Float64) AFTER band,
    ADD COLUMN IF NOT EXISTS days_low Nullable(Float64) AFTER expected_days,
    ADD COLUMN IF NOT EXISTS days_high Nullable(Float64) AFTER days_low,
    ADD COLUMN IF NOT EXISTS features_hash LowCardinality(String) AFTER reasons,
    -- In the order of `recoup features --list`.
    ADD COLUMN IF NOT EXISTS features Array(Nullable(Float64)) AFTER features_hash;
