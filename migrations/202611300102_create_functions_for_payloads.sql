-- Functions about `public.quotes.raw_webhook_payload`, which not every application has. Safe to apply again.

CREATE OR REPLACE FUNCTION avinode_ingest.quotes_have_payload() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = 'public.quotes'::regclass AND attname = 'raw_webhook_payload' AND NOT attisdropped
            AND atttypid IN ('pg_catalog.jsonb'::regtype, 'pg_catalog.json'::regtype)
    )
$$;
COMMENT ON FUNCTION avinode_ingest.quotes_have_payload() IS 'True if public.quotes has the column raw_webhook_payload, as JSON.';

-- As read_deliveries: a plan for these times locks the partitions from the first time to the last, a plan for any times locks all.
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
        OFFSET 0
    ) AS delivery
    ORDER BY delivery.id;
END
$$;
COMMENT ON FUNCTION avinode_ingest.read_deliveries_of_times(timestamptz[]) IS
    'Returns the deliveries that were received at these times, in order of their ids.';
