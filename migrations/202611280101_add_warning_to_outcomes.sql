-- Parts of a job's input that were not understood.
ALTER TABLE avinode_ingest.outcomes ADD COLUMN warning text;
COMMENT ON COLUMN avinode_ingest.outcomes.warning IS 'Parts of the input that were sent and not understood; NULL if there were none.';
