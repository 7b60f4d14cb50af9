COMMENT ON TABLE avinode_ingest.event_keys IS 'Deduplication keys of applied full events. Pruned by applied_at, at the earliest after the deliveries.';
COMMENT ON TABLE avinode_ingest.dead_jobs IS 'Dead-lettered jobs: unknown content, exhausted attempts or a permanent error. Kept until an admin retries or discards them, and pruned by died_at.';
COMMENT ON TABLE avinode_ingest.timeline IS 'Timelines of sessions, in the order in which events became known. Pruned by recorded_at.';
