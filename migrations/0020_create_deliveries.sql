-- What came in, byte for byte. Append-only: receiving looks nothing up and can conflict with nothing.
CREATE TABLE avinode_ingest.deliveries (
    id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    verified_by text NOT NULL,
    headers text NOT NULL,
    body bytea NOT NULL
);

COMMENT ON TABLE avinode_ingest.deliveries IS 'One HTTP POST each, as it came: exact bytes, allow-listed headers, how it was verified. Append-only.';
COMMENT ON COLUMN avinode_ingest.deliveries.id IS 'UUIDv7, made by the receiver; the answer names it.';
COMMENT ON COLUMN avinode_ingest.deliveries.received_at IS 'When the whole body had been read, by the receiver''s clock.';
COMMENT ON COLUMN avinode_ingest.deliveries.verified_by IS 'Scheme and ordinal of the secret that proved the sender, for example hmac#1; never the secret.';
COMMENT ON COLUMN avinode_ingest.deliveries.headers IS 'Allow-listed headers, one "name: value" a line (text, not jsonb: no header can make the receiving statement fail).';
COMMENT ON COLUMN avinode_ingest.deliveries.body IS 'The exact body: signatures and replays must be byte-true.';
