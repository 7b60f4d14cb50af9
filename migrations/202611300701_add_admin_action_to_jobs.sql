-- The replay or retry by an admin that a job follows from, for its outcome. A column without a value for existing rows.
ALTER TABLE avinode_ingest.jobs ADD COLUMN IF NOT EXISTS admin_action text;
COMMENT ON COLUMN avinode_ingest.jobs.admin_action IS 'Replay or retry by an admin that the job follows from, as its outcome shows it: "replayed by cli:alice@db1: the relay was repaired". NULL without one.';
COMMENT ON COLUMN avinode_ingest.outcomes.detail IS 'Changes made, the delivery that was duplicated, or the reason for dead-lettering; then the replay or retry by an admin.';
