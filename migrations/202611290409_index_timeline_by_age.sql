-- no-transaction
-- Finds the timeline entries past their retention.
CREATE INDEX CONCURRENTLY IF NOT EXISTS timeline_by_age
    ON avinode_ingest.timeline (recorded_at);
