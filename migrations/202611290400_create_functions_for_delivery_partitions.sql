-- Functions that make and remove the partitions of `deliveries` (docs/adr/0005-deliveries-by-month.md). They run with the privileges
-- of the owner of the tables, so that the role of the service need not own them. Each returns after one step: its caller commits,
-- and holds no lock for longer than that.

-- The lowest UUIDv7 of a time.
CREATE FUNCTION avinode_ingest.uuid_of_time(moment timestamptz) RETURNS uuid
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN (lpad(to_hex(greatest(floor(extract(epoch FROM moment) * 1000), 0)::bigint), 12, '0') || repeat('0', 20))::uuid;
COMMENT ON FUNCTION avinode_ingest.uuid_of_time(timestamptz) IS 'Returns the lowest UUIDv7 of a time, to the millisecond.';

-- The time of a UUIDv7.
CREATE FUNCTION avinode_ingest.time_of_uuid(id uuid) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0);
COMMENT ON FUNCTION avinode_ingest.time_of_uuid(uuid) IS 'Returns the time of a UUIDv7.';

CREATE FUNCTION avinode_ingest.delivery_partitions()
    RETURNS TABLE (name text, oid oid, lower_id uuid, upper_id uuid, is_default boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT class.relname::text, class.oid, substring(part.bound FROM 'FROM \(''([0-9a-f-]{36})''\)')::uuid,
            substring(part.bound FROM 'TO \(''([0-9a-f-]{36})''\)')::uuid, part.bound = 'DEFAULT'
        FROM pg_catalog.pg_class AS parent
        JOIN pg_catalog.pg_namespace AS namespace
            ON namespace.oid = parent.relnamespace AND namespace.nspname = 'avinode_ingest'
        JOIN pg_catalog.pg_inherits AS child ON child.inhparent = parent.oid
        JOIN pg_catalog.pg_class AS class ON class.oid = child.inhrelid
        CROSS JOIN LATERAL (SELECT pg_get_expr(class.relpartbound, class.oid) AS bound) AS part
        WHERE parent.relname = 'deliveries' AND parent.relkind = 'p'
        ORDER BY 3 NULLS FIRST;
    END;
COMMENT ON FUNCTION avinode_ingest.delivery_partitions() IS
    'Returns the partitions of deliveries with the bounds of their ids: the lower one included, the upper one excluded, NULL for none.';

-- Table privileges of a partition do not matter to statements on the partitioned table, but admins read partitions too.
CREATE FUNCTION avinode_ingest.copy_privileges(source regclass, target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT acl.privilege_type, acl.grantee, acl.is_grantable
        FROM pg_catalog.pg_class AS class CROSS JOIN LATERAL aclexplode(class.relacl) AS acl
        WHERE class.oid = source AND acl.grantee <> class.relowner
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', granted.privilege_type, target,
                       CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END,
                       CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$$;
COMMENT ON FUNCTION avinode_ingest.copy_privileges(regclass, regclass) IS 'Grants the privileges on one table for another.';

-- Deliveries are never updated: a first vacuum freezes them, and none reads them again for the age of their transactions. The
-- partition of this month grows from nothing, so a share of its size says little: it is vacuumed after as many new rows.
CREATE FUNCTION avinode_ingest.set_delivery_storage(partition regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format(
        'ALTER TABLE %s SET (autovacuum_freeze_min_age = 0, toast.autovacuum_freeze_min_age = 0,
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
            toast.autovacuum_vacuum_insert_scale_factor = 0, toast.autovacuum_vacuum_insert_threshold = 50000,
            autovacuum_analyze_scale_factor = 0.2)',
        partition
    );
END
$$;
COMMENT ON FUNCTION avinode_ingest.set_delivery_storage(regclass) IS 'Sets the storage parameters of a partition of deliveries.';

-- Makes the next missing partition. The table is created first and then attached: CREATE TABLE … PARTITION OF locks the partitioned
-- table against all statements, ATTACH PARTITION only against other changes of its partitions. It locks the default partition,
-- which has to be read, as well: nothing is received into that one while months are made in time.
CREATE FUNCTION avinode_ingest.make_delivery_partition(months integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '100ms' SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Rows of the default partition that are moved in one transaction, and its size that is read in one.
    max_moved CONSTANT bigint := 10000;
    max_read CONSTANT bigint := 64 * 1024 * 1024;
    this_month CONSTANT timestamp := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC');
    begins timestamp;
    lowest uuid;
    beyond uuid;
    made text;
    moved bigint;
BEGIN
    LOCK TABLE ONLY avinode_ingest.deliveries IN SHARE UPDATE EXCLUSIVE MODE;
    FOR begins IN SELECT generate_series(this_month, this_month + make_interval(months => months), interval '1 month') LOOP
        lowest := avinode_ingest.uuid_of_time(begins AT TIME ZONE 'UTC');
        beyond := avinode_ingest.uuid_of_time((begins + interval '1 month') AT TIME ZONE 'UTC');
        CONTINUE WHEN EXISTS (
            SELECT FROM avinode_ingest.delivery_partitions() AS part
            WHERE NOT part.is_default AND (part.lower_id IS NULL OR part.lower_id < beyond)
                AND (part.upper_id IS NULL OR part.upper_id > lowest)
        );
        SELECT count(*) INTO moved FROM (
            SELECT FROM avinode_ingest.deliveries_default WHERE id >= lowest AND id < beyond LIMIT max_moved + 1
        ) AS misplaced;
        -- The month stays in the default partition, from which its rows are deleted one by one. `check` warns.
        CONTINUE WHEN moved > max_moved;
        EXIT WHEN pg_table_size('avinode_ingest.deliveries_default') > max_read;

        made := 'deliveries_' || to_char(begins, 'YYYY_MM');
        EXECUTE format(
            'CREATE TABLE avinode_ingest.%I (LIKE avinode_ingest.deliveries INCLUDING DEFAULTS INCLUDING COMMENTS
                INCLUDING INDEXES INCLUDING STORAGE INCLUDING COMPRESSION)', made
        );
        EXECUTE format('COMMENT ON TABLE avinode_ingest.%I IS %L', made,
                       'Deliveries of ' || to_char(begins, 'YYYY-MM') || ' (UTC), by the time in their ids.');
        PERFORM avinode_ingest.copy_privileges('avinode_ingest.deliveries', format('avinode_ingest.%I', made)::regclass);
        PERFORM avinode_ingest.set_delivery_storage(format('avinode_ingest.%I', made)::regclass);
        LOCK TABLE avinode_ingest.deliveries_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'WITH misplaced AS (
                DELETE FROM avinode_ingest.deliveries_default WHERE id >= %1$L AND id < %2$L RETURNING *
            ) INSERT INTO avinode_ingest.%3$I SELECT * FROM misplaced', lowest, beyond, made
        );
        EXECUTE format('ALTER TABLE avinode_ingest.deliveries ATTACH PARTITION avinode_ingest.%I FOR VALUES FROM (%L) TO (%L)',
                       made, lowest, beyond);
        RETURN made;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION avinode_ingest.make_delivery_partition(integer) IS
    'Makes the first missing partition of deliveries from this month to that many months ahead. Returns its name, NULL if none is missing or can be made.';

-- Removes all rows of a partition, in one step. A row that a job needs is needed until that job is finished or
-- discarded: then the partition is left as it is. The lock comes before the look at the jobs, because a replay reads deliveries and
-- inserts jobs for them: its lock on the partition lasts until these jobs can be seen.
CREATE FUNCTION avinode_ingest.empty_delivery_partition(partition text, received_before timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '50ms' SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM avinode_ingest.delivery_partitions()
    WHERE name = partition AND NOT is_default AND upper_id <= avinode_ingest.uuid_of_time(received_before);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE avinode_ingest.%I IN ACCESS EXCLUSIVE MODE', part.name);
    IF EXISTS (
        SELECT FROM avinode_ingest.dead_jobs
        WHERE delivery_id < part.upper_id AND (part.lower_id IS NULL OR delivery_id >= part.lower_id)
        UNION ALL
        SELECT FROM avinode_ingest.jobs
        WHERE delivery_id < part.upper_id AND (part.lower_id IS NULL OR delivery_id >= part.lower_id)
    ) THEN
        RETURN false;
    END IF;
    EXECUTE format('TRUNCATE avinode_ingest.%I', part.name);
    RETURN true;
END
$$;
COMMENT ON FUNCTION avinode_ingest.empty_delivery_partition(text, timestamptz) IS
    'Removes the rows of a partition of deliveries that were all received before then. Returns false if there is no such partition, or if a job needs one of its rows.';

-- Removes an empty partition. Detaching locks the partitioned table against receiving, for about a millisecond. Every delivery waits
-- behind the wait for this lock as well, so that is bounded: by max_wait_ms, and by 50 ms. The locks of the partitions come first, so
-- that the partitioned table is not locked while they are waited for.
CREATE FUNCTION avinode_ingest.remove_delivery_partition(partition text, received_before timestamptz, max_wait_ms integer)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '50ms' SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM avinode_ingest.delivery_partitions()
    WHERE name = partition AND NOT is_default AND upper_id <= avinode_ingest.uuid_of_time(received_before);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE avinode_ingest.deliveries_default, avinode_ingest.%I IN ACCESS EXCLUSIVE MODE', part.name);
    -- Not by reading it: a clock that is far behind may have filled it again.
    IF pg_relation_size(part.oid) > 0 THEN
        RETURN false;
    END IF;
    PERFORM set_config('lock_timeout', greatest(1, least(max_wait_ms, 50))::text, true);
    LOCK TABLE ONLY avinode_ingest.deliveries IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE avinode_ingest.deliveries DETACH PARTITION avinode_ingest.%I', part.name);
    EXECUTE format('DROP TABLE avinode_ingest.%I', part.name);
    RETURN true;
END
$$;
COMMENT ON FUNCTION avinode_ingest.remove_delivery_partition(text, timestamptz, integer) IS
    'Drops an empty partition of deliveries that were all received before then. Returns false if there is no such partition, or if it has rows.';

REVOKE ALL ON FUNCTION avinode_ingest.make_delivery_partition(integer),
    avinode_ingest.empty_delivery_partition(text, timestamptz),
    avinode_ingest.remove_delivery_partition(text, timestamptz, integer) FROM PUBLIC;
