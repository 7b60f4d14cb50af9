-- A batch with steps by a job: without that job it is interrupted while it is running. Each step of the job records it, because programs of before
-- this column begin batches without it.
ALTER TABLE avinode_ingest.batches ADD COLUMN IF NOT EXISTS by_worker boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN avinode_ingest.batches.by_worker IS 'True if a job of the kind run_batch makes the steps: a running batch is shown as interrupted where that job died or was discarded.';
UPDATE avinode_ingest.batches AS batch
SET by_worker = true
WHERE batch.state = 'running' AND NOT batch.by_worker AND (
    EXISTS (SELECT FROM avinode_ingest.jobs AS job WHERE job.kind = 'run_batch' AND job.key = batch.id::text)
    OR EXISTS (SELECT FROM avinode_ingest.dead_jobs AS dead WHERE dead.kind = 'run_batch' AND dead.key = batch.id::text)
);
