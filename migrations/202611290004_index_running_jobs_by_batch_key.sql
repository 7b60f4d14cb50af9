-- no-transaction
-- The keys that workers are handling: another worker claims other keys, instead of waiting for the same trips.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_running_batch_keys
    ON avinode_ingest.jobs (batch_key)
    WHERE batch_key IS NOT NULL AND lease_token IS NOT NULL;
