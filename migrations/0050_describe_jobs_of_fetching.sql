-- What jobs are about has grown.
COMMENT ON COLUMN avinode_ingest.jobs.kind IS 'Which handler it is for: full_event, event_replay, unknown_format, rematch, quote_expiry; and, where anything is fetched, fetch_notified, fetch_follow_up, reconcile.';
