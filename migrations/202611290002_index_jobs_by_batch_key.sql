-- no-transaction
-- Finds the waiting jobs that are claimed together. Few distinct values: the index stores each of them once per page.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_by_batch_key
    ON avinode_ingest.jobs (batch_key)
    WHERE batch_key IS NOT NULL AND lease_token IS NULL;
