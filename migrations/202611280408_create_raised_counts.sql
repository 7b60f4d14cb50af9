-- The sessions whose count of received quotes was raised when the service was attached: see 202611280411.
CREATE TABLE avinode_ingest.raised_counts (
    session_id uuid PRIMARY KEY,
    count_before integer,
    known_quotes integer NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE avinode_ingest.raised_counts IS
    'Sessions whose quotes_received_count was raised to the number of quotes known at the first attach; each is raised once.';
COMMENT ON COLUMN avinode_ingest.raised_counts.session_id IS 'Id of the session.';
COMMENT ON COLUMN avinode_ingest.raised_counts.count_before IS 'Count of the application.';
COMMENT ON COLUMN avinode_ingest.raised_counts.known_quotes IS 'Distinct quotes known for the session.';
COMMENT ON COLUMN avinode_ingest.raised_counts.raised_at IS 'Time at which the count was raised.';
REVOKE ALL ON avinode_ingest.raised_counts FROM PUBLIC;
