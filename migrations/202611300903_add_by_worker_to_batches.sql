-- Whether a job makes the steps of a batch: without that job a running batch is interrupted. Batches of older programs have none.
ALTER TABLE avinode_ingest.batches ADD COLUMN IF NOT EXISTS by_worker boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN avinode_ingest.batches.by_worker IS 'True if a job of the kind run_batch makes the steps: a running batch is shown as interrupted where that job died or was discarded.';
