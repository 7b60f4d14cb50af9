-- Reads deliveries by id. Postgres would choose a plan for any ids at some number of ids, and such a plan locks every partition until
-- the transaction ends: workers would keep partitions from being made and dropped. A plan for the given ids locks theirs only.
CREATE FUNCTION avinode_ingest.read_deliveries(ids uuid[]) RETURNS TABLE (id uuid, received_at timestamptz, body bytea)
    LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT delivery.id, delivery.received_at, delivery.body
    FROM avinode_ingest.deliveries AS delivery
    WHERE delivery.id = ANY (ids);
END
$$;
COMMENT ON FUNCTION avinode_ingest.read_deliveries(uuid[]) IS 'Returns the deliveries with these ids. Locks only the partitions that have them.';
