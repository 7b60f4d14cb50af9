-- Row-level security of chat_sessions: an agent selects, inserts and updates their own sessions, the service role does
-- everything, anybody else nothing.

-- Who is calling, from the claims of the request. Supabase's auth.jwt() reads this same setting; reading it directly works
-- on a plain Postgres too. Empty is what the setting becomes after a transaction that had set it.
-- SECURITY DEFINER: iso_agents may have policies of its own that hide the row from the caller.
CREATE OR REPLACE FUNCTION avinode_ingest.caller_agent_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = ''
AS $$
    SELECT agent.id
    FROM public.iso_agents AS agent
    WHERE agent.clerk_user_id = nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.jsonb ->> 'sub'
$$;

COMMENT ON FUNCTION avinode_ingest.caller_agent_id() IS
    'The agent whose clerk_user_id is the claim `sub` of the present request; NULL for anybody else.';

REVOKE ALL ON FUNCTION avinode_ingest.caller_agent_id() FROM PUBLIC;

DO $$
DECLARE
    agents text := 'PUBLIC';
BEGIN
    -- A chat_sessions of the application's own keeps its own rules: its policies, and its having none. A second policy
    -- could only widen what it allows, and switching row-level security on could stop the application's writes.
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid = 'public.chat_sessions'::regclass
          AND tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
    ) THEN
        RETURN;
    END IF;

    -- Without Supabase's roles the policies name PUBLIC: they open nothing by themselves, for no role but the owner has a
    -- right on the table, and a role that is given one sees the rows of its claims only.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'authenticated') THEN
        agents := 'authenticated';
    END IF;

    -- The function in a policy runs with the caller's rights, so callers need EXECUTE. They need no USAGE on the schema,
    -- and have none: nobody can name the function in a query of their own. In a sub-select it runs once a statement.
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

    -- Supabase's default privileges gave its roles everything, TRUNCATE among it, which no policy holds back.
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
        -- Supabase's service role has BYPASSRLS; the policy is for one that has not.
        CREATE POLICY avinode_ingest_service_does_everything ON public.chat_sessions TO service_role
            USING (true) WITH CHECK (true);
    END IF;
END
$$;
