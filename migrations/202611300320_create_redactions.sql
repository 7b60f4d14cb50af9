-- Redaction replaces personal text in what is stored. The ids of a delivery and the digest of its bytes stay, so that it can still be
-- proved what was received.
CREATE TABLE IF NOT EXISTS avinode_ingest.redactions (
    delivery_id uuid PRIMARY KEY,
    body_sha256 bytea NOT NULL,
    body_bytes integer NOT NULL,
    redacted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE avinode_ingest.redactions IS 'Deliveries whose bodies were redacted. Their bodies are not parsed any more: a replay changes nothing.';
COMMENT ON COLUMN avinode_ingest.redactions.delivery_id IS 'Id of the delivery.';
COMMENT ON COLUMN avinode_ingest.redactions.body_sha256 IS 'SHA-256 of the body as received.';
COMMENT ON COLUMN avinode_ingest.redactions.body_bytes IS 'Length of the body as received.';
COMMENT ON COLUMN avinode_ingest.redactions.redacted_at IS 'Time of the first redaction.';
CREATE INDEX IF NOT EXISTS redactions_by_age ON avinode_ingest.redactions (redacted_at);
COMMENT ON COLUMN avinode_ingest.deliveries.body IS 'Exact bytes of the body: signatures and replays must be byte-exact. With personal text replaced if the delivery is in redactions.';

ALTER TABLE avinode_ingest.documents ADD COLUMN IF NOT EXISTS redacted_at timestamptz;
COMMENT ON COLUMN avinode_ingest.documents.redacted_at IS 'Time at which the body was redacted; it is not parsed any more. NULL if it is as Avinode returned it.';

-- As before, without redacted deliveries: their bodies are not shown in the application's rows.
CREATE OR REPLACE FUNCTION avinode_ingest.read_deliveries_of_times(times timestamptz[])
    RETURNS TABLE (id uuid, received_at timestamptz, body bytea)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lowest uuid;
    beyond uuid;
BEGIN
    SELECT avinode_ingest.uuid_of_time(min(at)), avinode_ingest.uuid_of_time(max(at) + interval '1 ms')
    INTO lowest, beyond
    FROM unnest(times) AS wanted (at);
    RETURN QUERY
    SELECT delivery.*
    FROM (SELECT DISTINCT at FROM unnest(times) AS wanted (at)) AS wanted
    CROSS JOIN LATERAL (
        SELECT stored.id, stored.received_at, stored.body
        FROM avinode_ingest.deliveries AS stored
        WHERE stored.id >= avinode_ingest.uuid_of_time(wanted.at)
            AND stored.id < avinode_ingest.uuid_of_time(wanted.at + interval '1 ms')
            AND stored.id >= lowest AND stored.id < beyond
            AND stored.received_at = wanted.at
            AND NOT EXISTS (SELECT FROM avinode_ingest.redactions AS redacted WHERE redacted.delivery_id = stored.id)
        OFFSET 0
    ) AS delivery
    ORDER BY delivery.id;
END
$$;
