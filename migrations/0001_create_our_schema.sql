-- The schema that is ours alone. The migrator has usually made it already, for its bookkeeping.
-- PostgREST exposes `public` only; what is internal to the service must not be reachable by the application's roles either.
CREATE SCHEMA IF NOT EXISTS avinode_ingest;

COMMENT ON SCHEMA avinode_ingest IS
    'Internal to avinode-ingest: deliveries, jobs, facts, ledger, migration bookkeeping. Closed to the application''s roles.';

REVOKE ALL ON SCHEMA avinode_ingest FROM PUBLIC;

-- Supabase's roles exist there only. The role that migrates keeps its own rights, whatever it is called.
DO $$
DECLARE
    application_role name;
BEGIN
    FOR application_role IN
        SELECT rolname FROM pg_catalog.pg_roles
        WHERE rolname IN ('anon', 'authenticated', 'service_role') AND rolname <> current_user
        ORDER BY rolname
    LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA avinode_ingest FROM %I', application_role);
    END LOOP;
END
$$;
