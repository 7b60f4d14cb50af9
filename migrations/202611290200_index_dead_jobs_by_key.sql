-- A job that dies looks for a dead job of its key with the same reason, and reconciling looks for dead jobs of messages.
CREATE INDEX dead_jobs_by_key ON avinode_ingest.dead_jobs (key) WHERE key IS NOT NULL;
