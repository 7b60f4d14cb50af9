-- no-transaction
-- The leases of a worker; and the keys that workers are handling: another worker claims other keys, instead of waiting for the same trips.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_leased
    ON avinode_ingest.jobs (leased_by, batch_key)
    WHERE lease_token IS NOT NULL;
