-- What a person has read in a reply, and who.
ALTER TABLE interaction_events
    ADD COLUMN IF NOT EXISTS reply_id String AFTER promise_id,
    ADD COLUMN IF NOT EXISTS intent LowCardinality(String) AFTER category,
    ADD COLUMN IF NOT EXISTS reader LowCardinality(String) AFTER intent;
