-- A claim by key reads the jobs that failed apart from the others (crates/queue/src/claim_by_key.rs). Leased jobs are left
-- out, so a job enters the index only when it failed.
CREATE INDEX IF NOT EXISTS jobs_retried ON avinode_ingest.jobs (kind, due_at, id)
WHERE attempts > 0 AND lease_token IS NULL AND key IS NOT NULL;
