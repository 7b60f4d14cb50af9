-- no-transaction
-- Streams of events read the entries after a position. Entries arrive in this order: an insert adds to the last page.
CREATE INDEX CONCURRENTLY IF NOT EXISTS timeline_by_position
    ON avinode_ingest.timeline (position);
