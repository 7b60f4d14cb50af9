-- With an empty search_path the caller's temporary schema is still searched first, for tables and types: an agent who made a
-- domain of the name `uuid` there had its CHECK run inside the helper functions, with the rights of their definer. Named at
-- the end, the temporary schema comes last, and what is built in is found first.
DO $$
DECLARE
    ours record;
BEGIN
    FOR ours IN
        SELECT proc.oid::regprocedure AS name
        FROM pg_catalog.pg_proc AS proc
        WHERE 'search_path=""' = ANY (proc.proconfig)
          AND (
              proc.pronamespace = 'avinode_ingest'::regnamespace
              -- Helper functions in public that are the application's own have none of this in them.
              OR proc.prosrc LIKE '%avinode_ingest.caller_passes_row_security()%'
          )
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', ours.name);
    END LOOP;
END
$$;
