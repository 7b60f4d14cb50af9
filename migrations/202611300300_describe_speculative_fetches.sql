-- The kinds of jobs with the one that fetches what only sessions name, and the meaning of the batch key there.
COMMENT ON COLUMN avinode_ingest.jobs.kind IS
    'Selects the handler: full_event, event_replay, unknown_format, rematch, quote_expiry; for fetching: fetch_notified, fetch_follow_up, reconcile, fetch_speculative.';
COMMENT ON COLUMN avinode_ingest.jobs.batch_key IS
    'Jobs with the same value are claimed together where possible: the trip of a full event. Of a bounded kind (fetch_speculative; reconcile of what only sessions name): the agent, by whom the jobs are counted.';
