-- When a released model scores, what was in force before it, and who vouches for it.
ALTER TABLE model_releases
    ADD COLUMN IF NOT EXISTS moment LowCardinality(String) AFTER override,
    ADD COLUMN IF NOT EXISTS previous Array(String) AFTER moment,
    ADD COLUMN IF NOT EXISTS signature String AFTER previous;
