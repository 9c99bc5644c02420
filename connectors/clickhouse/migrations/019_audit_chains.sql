-- Which chain a link belongs to, and the digests of the messages that it records.
ALTER TABLE audit_logs
    ADD COLUMN IF NOT EXISTS chain LowCardinality(String) AFTER account_id,
    ADD COLUMN IF NOT EXISTS records Array(String) AFTER hash;
