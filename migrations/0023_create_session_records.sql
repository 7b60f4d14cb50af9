-- What the service remembers beside a session. The application may delete a session: these go with it.
CREATE TABLE avinode_ingest.ledger (
    session_id uuid NOT NULL REFERENCES public.chat_sessions (id) ON DELETE CASCADE,
    quote_id text NOT NULL,
    counted boolean NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (session_id, quote_id)
);
COMMENT ON TABLE avinode_ingest.ledger IS 'Which quotes have been counted for which session. Rows are never removed: a count never shrinks.';
COMMENT ON COLUMN avinode_ingest.ledger.counted IS 'False for quotes that the application had counted before the service was attached.';

CREATE TABLE avinode_ingest.session_state (
    session_id uuid PRIMARY KEY REFERENCES public.chat_sessions (id) ON DELETE CASCADE,
    pinned boolean NOT NULL DEFAULT false,
    selected_quote text,
    matched_trip text,
    timeline_seq bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE avinode_ingest.session_state IS 'One row per session that the service has touched.';
COMMENT ON COLUMN avinode_ingest.session_state.pinned IS 'A person or the application chose the primary quote: no policy replaces it.';
COMMENT ON COLUMN avinode_ingest.session_state.selected_quote IS 'Avinode''s id of the quote elected last; the column is written once the quote is projected.';
COMMENT ON COLUMN avinode_ingest.session_state.matched_trip IS 'The trip id, in normal form, that the session was last matched by; the sweep compares it.';
COMMENT ON COLUMN avinode_ingest.session_state.timeline_seq IS 'The last number of its timeline.';

CREATE TABLE avinode_ingest.timeline (
    session_id uuid NOT NULL REFERENCES public.chat_sessions (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    happened_at timestamptz,
    kind text NOT NULL,
    dedup_key text NOT NULL,
    delivery_id uuid,
    detail jsonb NOT NULL,
    PRIMARY KEY (session_id, seq),
    UNIQUE (session_id, dedup_key)
);
COMMENT ON TABLE avinode_ingest.timeline IS 'What happened to a session, in the order in which it became known.';
COMMENT ON COLUMN avinode_ingest.timeline.happened_at IS 'When it happened, by the sender''s clock.';
COMMENT ON COLUMN avinode_ingest.timeline.dedup_key IS 'Names the fact behind the line: the same fact is written once per session.';
