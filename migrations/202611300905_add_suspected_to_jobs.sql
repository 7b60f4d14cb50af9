-- Jobs that are taken over run in small batches first, and alone when such a batch has ended with its worker as well.
ALTER TABLE avinode_ingest.jobs ADD COLUMN IF NOT EXISTS suspected boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN avinode_ingest.jobs.suspected IS 'True if an isolated run ended with its worker, or the job has run alone: it runs alone from then on.';
COMMENT ON COLUMN avinode_ingest.jobs.isolated IS 'True if the job was taken over from an expired lease: it runs in a small batch, or alone if it is suspected.';
COMMENT ON COLUMN avinode_ingest.jobs.crashes IS 'Runs alone that ended with their worker.';
