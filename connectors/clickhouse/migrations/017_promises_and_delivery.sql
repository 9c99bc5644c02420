-- The promises that a decision judged, and how an invoice was sent.
ALTER TABLE next_best_actions
    ADD COLUMN IF NOT EXISTS promises_kept Array(String) AFTER reasons,
    ADD COLUMN IF NOT EXISTS promises_broken Array(String) AFTER promises_kept;

ALTER TABLE payment_events
    ADD COLUMN IF NOT EXISTS delivery LowCardinality(String) AFTER method;
