-- Row-level security of chat_sessions: an agent selects, inserts and updates the agent's own sessions, the service role has full
-- access, all other roles have none.

-- Identifies the caller by the claims of the request. Supabase's auth.jwt() reads the same setting; reading the setting directly
-- works on a plain Postgres too. After a transaction that set it, the setting is an empty string.
-- SECURITY DEFINER: policies on iso_agents may hide the row from the caller.
CREATE OR REPLACE FUNCTION avinode_ingest.caller_agent_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
-- The temporary schema is named, and last: unless it is named, Postgres searches it first for tables and types, and a caller
-- could put a type there whose CHECK runs with the privileges of the definer.
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT agent.id
    FROM public.iso_agents AS agent
    WHERE agent.clerk_user_id = nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'sub'
$$;

COMMENT ON FUNCTION avinode_ingest.caller_agent_id() IS
    'Id of the agent whose clerk_user_id equals the claim `sub` of the current request; NULL if there is none.';

REVOKE ALL ON FUNCTION avinode_ingest.caller_agent_id() FROM PUBLIC;

DO $$
DECLARE
    agents text := 'PUBLIC';
BEGIN
    -- A chat_sessions table of the application's own keeps its rules, with or without policies. A second policy could only
    -- allow more, and enabling row-level security could block the application's writes.
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid = 'public.chat_sessions'::regclass
          AND tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
    ) THEN
        RETURN;
    END IF;

    -- Without Supabase's roles the policies apply to PUBLIC. They grant nothing: only the owner has privileges on the table,
    -- and a role that gets some sees the rows of its claims only.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'authenticated') THEN
        agents := 'authenticated';
    END IF;

    -- A function in a policy runs with the caller's privileges, so callers need EXECUTE. They need no USAGE on the schema, and
    -- have none: they cannot call the function from a query. As a sub-select it runs once per statement.
    EXECUTE format('GRANT EXECUTE ON FUNCTION avinode_ingest.caller_agent_id() TO %s', agents);

    IF EXISTS (SELECT FROM pg_catalog.pg_policy WHERE polrelid = 'public.chat_sessions'::regclass) THEN
        RETURN;
    END IF;

    EXECUTE format('CREATE POLICY avinode_ingest_agents_select_their_own ON public.chat_sessions FOR SELECT TO %s
                    USING (iso_agent_id = (SELECT avinode_ingest.caller_agent_id()))', agents);
    EXECUTE format('CREATE POLICY avinode_ingest_agents_insert_their_own ON public.chat_sessions FOR INSERT TO %s
                    WITH CHECK (iso_agent_id = (SELECT avinode_ingest.caller_agent_id()))', agents);
    EXECUTE format('CREATE POLICY avinode_ingest_agents_update_their_own ON public.chat_sessions FOR UPDATE TO %s
                    USING (iso_agent_id = (SELECT avinode_ingest.caller_agent_id()))
                    WITH CHECK (iso_agent_id = (SELECT avinode_ingest.caller_agent_id()))', agents);

    -- Supabase's default privileges give its roles every privilege, including TRUNCATE, which policies do not restrict.
    REVOKE ALL ON TABLE public.chat_sessions FROM PUBLIC;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'anon') THEN
        REVOKE ALL ON TABLE public.chat_sessions FROM anon;
    END IF;
    IF agents = 'authenticated' THEN
        REVOKE ALL ON TABLE public.chat_sessions FROM authenticated;
        GRANT SELECT, INSERT, UPDATE ON TABLE public.chat_sessions TO authenticated;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.chat_sessions TO service_role;
        -- Supabase's service role has BYPASSRLS; the policy is for a service role without it.
        CREATE POLICY avinode_ingest_service_does_everything ON public.chat_sessions TO service_role
            USING (true) WITH CHECK (true);
    END IF;
END
$$;
