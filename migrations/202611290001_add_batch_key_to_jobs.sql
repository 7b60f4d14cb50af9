-- Jobs about the same trip are claimed together: what a batch reads and locks is counted by trip, not by job. The receiver knows
-- the trip of a full event without a look-up.
--
-- A new column with an index of its own, because most jobs with a `key` are claimed by another statement. The index leaves out
-- claimed jobs, so that a claim removes a job from it and adds nothing.
ALTER TABLE avinode_ingest.jobs ADD COLUMN batch_key text;
COMMENT ON COLUMN avinode_ingest.jobs.batch_key IS 'Jobs with the same value are claimed together where possible: the trip of a full event. NULL if it makes no difference.';
