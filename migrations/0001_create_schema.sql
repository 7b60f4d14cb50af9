-- Creates the schema of the service's own tables. The migrator has usually created it already, for its bookkeeping.
-- PostgREST exposes `public` only; tables internal to the service must be out of reach of the application's roles as well.
CREATE SCHEMA IF NOT EXISTS avinode_ingest;

COMMENT ON SCHEMA avinode_ingest IS
    'Internal to avinode-ingest: deliveries, jobs, facts, ledger, migration bookkeeping. Closed to the application''s roles.';

REVOKE ALL ON SCHEMA avinode_ingest FROM PUBLIC;

-- These roles exist on Supabase only. The role that runs the migrations keeps its privileges, under any name.
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
