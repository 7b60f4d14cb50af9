-- What jobs are about has grown.
COMMENT ON COLUMN avinode_ingest.jobs.kind IS 'Which handler it is for: event, event_again, rematch, expire, unknown; and, where anything is fetched, thin, follow, reconcile.';
