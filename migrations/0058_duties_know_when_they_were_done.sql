-- The interval of periodic work is a setting, which may be lowered: what counts is when it was last done, not the end of a lease by the
-- setting of that time.
ALTER TABLE avinode_ingest.leader_leases ADD COLUMN IF NOT EXISTS done_at timestamptz;

COMMENT ON COLUMN avinode_ingest.leader_leases.done_at IS 'When a turn of periodic work was last claimed, by the database''s clock; null of leases that are only held.';
