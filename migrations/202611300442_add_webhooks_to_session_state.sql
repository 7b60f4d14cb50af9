-- Webhooks about changed sessions (INGEST_NOTIFY_URL): the version that was made last, and what the receiver has acknowledged.
ALTER TABLE avinode_ingest.session_state
    ADD COLUMN IF NOT EXISTS webhook_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS webhook_digest text,
    ADD COLUMN IF NOT EXISTS acknowledged_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS acknowledged_seq bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN avinode_ingest.session_state.webhook_version IS 'Version of the session in its last webhook; grows by one with each different content.';
COMMENT ON COLUMN avinode_ingest.session_state.webhook_digest IS 'SHA-256 in hex of the content of that version.';
COMMENT ON COLUMN avinode_ingest.session_state.acknowledged_version IS 'Highest version that the receiver of webhooks answered with 2xx.';
COMMENT ON COLUMN avinode_ingest.session_state.acknowledged_seq IS 'Last timeline entry in an acknowledged webhook.';
