-- The author of an entry that a write by the API or the command line made. A column without a value for existing rows.
ALTER TABLE avinode_ingest.timeline ADD COLUMN IF NOT EXISTS actor text;
COMMENT ON COLUMN avinode_ingest.timeline.actor IS 'Who made the entry: token:NAME or cli:USER@HOST; NULL for an entry of the service itself.';
COMMENT ON COLUMN avinode_ingest.audit.actor IS 'cli:USER@HOST for the command line, token:NAME for a call of the API.';
COMMENT ON COLUMN avinode_ingest.audit.details IS 'Filter or ids, the note of the admin, and the error of a failed run. Texts of a filter are stored as their SHA-256 only.';
