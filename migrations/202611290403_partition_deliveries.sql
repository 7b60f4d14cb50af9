-- `deliveries` becomes a table that is partitioned by month (docs/adr/0005-deliveries-by-month.md). The present table becomes its first
-- partition, of all ids up to a bound; none of its rows is read or written. Programs before this file work as they did: their
-- statements name the partitioned table.
DO $$
DECLARE
    first_of_month CONSTANT timestamp := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC' + interval '7 days') + interval '1 month';
    beyond uuid;
    present text;
    owner text;
    granted record;
BEGIN
    LOCK TABLE avinode_ingest.deliveries IN ACCESS EXCLUSIVE MODE;
    SELECT substring(pg_get_constraintdef(constraint_row.oid) FROM '''([0-9a-f-]{36})''')::uuid INTO beyond
    FROM pg_catalog.pg_constraint AS constraint_row
    WHERE conrelid = 'avinode_ingest.deliveries'::regclass AND conname = 'deliveries_bound' AND convalidated;
    -- The files before were applied long ago, or there are ids of the future.
    IF beyond IS NULL OR beyond < avinode_ingest.uuid_of_time(clock_timestamp() + interval '1 day') THEN
        beyond := avinode_ingest.uuid_of_time(first_of_month AT TIME ZONE 'UTC');
        ALTER TABLE avinode_ingest.deliveries DROP CONSTRAINT IF EXISTS deliveries_bound;
    END IF;
    present := 'deliveries_until_' || to_char(avinode_ingest.time_of_uuid(beyond) AT TIME ZONE 'UTC', 'YYYY_MM');
    SELECT pg_get_userbyid(relowner) INTO owner
    FROM pg_catalog.pg_class WHERE oid = 'avinode_ingest.deliveries'::regclass;

    EXECUTE format('ALTER TABLE avinode_ingest.deliveries RENAME TO %I', present);
    EXECUTE format('ALTER TABLE avinode_ingest.%I RENAME CONSTRAINT deliveries_pkey TO %I', present, present || '_pkey');
    EXECUTE format(
        'CREATE TABLE avinode_ingest.deliveries (LIKE avinode_ingest.%I INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING INDEXES
            INCLUDING STORAGE INCLUDING COMPRESSION) PARTITION BY RANGE (id)', present
    );
    EXECUTE format('ALTER TABLE avinode_ingest.deliveries OWNER TO %I', owner);
    PERFORM avinode_ingest.copy_privileges(format('avinode_ingest.%I', present)::regclass, 'avinode_ingest.deliveries');
    CREATE TABLE avinode_ingest.deliveries_default (
        LIKE avinode_ingest.deliveries INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING INDEXES INCLUDING STORAGE
            INCLUDING COMPRESSION
    );
    EXECUTE format('ALTER TABLE avinode_ingest.deliveries_default OWNER TO %I', owner);
    PERFORM avinode_ingest.copy_privileges('avinode_ingest.deliveries', 'avinode_ingest.deliveries_default');
    EXECUTE format(
        'WITH misplaced AS (DELETE FROM avinode_ingest.%I WHERE id >= %L RETURNING *)
        INSERT INTO avinode_ingest.deliveries_default SELECT * FROM misplaced', present, beyond
    );
    EXECUTE format('ALTER TABLE avinode_ingest.deliveries ATTACH PARTITION avinode_ingest.%I FOR VALUES FROM (MINVALUE) TO (%L)',
                   present, beyond);
    ALTER TABLE avinode_ingest.deliveries ATTACH PARTITION avinode_ingest.deliveries_default DEFAULT;
    EXECUTE format('ALTER TABLE avinode_ingest.%I DROP CONSTRAINT IF EXISTS deliveries_bound', present);
    PERFORM avinode_ingest.set_delivery_storage(format('avinode_ingest.%I', present)::regclass);
    PERFORM avinode_ingest.set_delivery_storage('avinode_ingest.deliveries_default');
    EXECUTE format('COMMENT ON TABLE avinode_ingest.%I IS %L', present,
                   'Deliveries from before the table was partitioned, and those after it up to the first partition of a month.');

    -- A role of the service that exists already makes and removes partitions from now on.
    FOR granted IN
        SELECT DISTINCT quote_ident(pg_get_userbyid(acl.grantee)) AS role
        FROM pg_catalog.pg_class AS class CROSS JOIN LATERAL aclexplode(class.relacl) AS acl
        WHERE class.oid = 'avinode_ingest.deliveries'::regclass AND acl.privilege_type = 'DELETE'
            AND acl.grantee NOT IN (0, class.relowner)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION avinode_ingest.make_delivery_partition(integer),
            avinode_ingest.empty_delivery_partition(text, timestamptz),
            avinode_ingest.remove_delivery_partition(text, timestamptz, integer) TO %s', granted.role);
    END LOOP;
END
$$;
COMMENT ON TABLE avinode_ingest.deliveries IS 'HTTP POSTs exactly as received: bytes, allow-listed headers, how each was verified. Append-only; partitioned by the month in their ids, which are UUIDv7.';
COMMENT ON TABLE avinode_ingest.deliveries_default IS 'Deliveries whose ids are of a month without a partition: the clock of a receiver was wrong, or maintenance did not run for months.';
