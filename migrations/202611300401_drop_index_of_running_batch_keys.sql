-- no-transaction
-- jobs_leased has its rows.
DROP INDEX CONCURRENTLY IF EXISTS avinode_ingest.jobs_running_batch_keys;
