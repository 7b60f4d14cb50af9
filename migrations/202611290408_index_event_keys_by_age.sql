-- no-transaction
-- Finds the event keys past their retention.
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_keys_by_age
    ON avinode_ingest.event_keys (applied_at);
