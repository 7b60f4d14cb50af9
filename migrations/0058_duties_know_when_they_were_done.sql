-- How often a duty comes round is a setting, which may be lowered: what counts is when it was last done, not until when it was
-- to be left alone by the setting of that time.
ALTER TABLE avinode_ingest.leader_leases ADD COLUMN IF NOT EXISTS done_at timestamptz;

COMMENT ON COLUMN avinode_ingest.leader_leases.done_at IS 'When it was last begun, by the database''s clock, of a duty that comes round by a setting; null of those that are only held.';
