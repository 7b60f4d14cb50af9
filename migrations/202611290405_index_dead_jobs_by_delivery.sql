-- no-transaction
-- Deliveries that a dead job needs are kept.
CREATE INDEX CONCURRENTLY IF NOT EXISTS dead_jobs_by_delivery
    ON avinode_ingest.dead_jobs (delivery_id)
    WHERE delivery_id IS NOT NULL;
