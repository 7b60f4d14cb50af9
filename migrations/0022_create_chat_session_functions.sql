-- Functions of session tracking for the application's SQL and RPC calls.
-- A function of the application with the same name and arguments is kept, because its callers rely on it.
--
-- The functions are SECURITY DEFINER and bypass row-level security, so they check access themselves: a caller that row-level
-- security lets through reaches all sessions, every other caller those of the calling agent.
-- Columns are always qualified with `session.`: an application's table may have a column named like a variable.
-- Sessions are locked one at a time or in the order of their ids, as everywhere in the service.

-- The caller is the role that was SET, or else the login role: inside the function current_user is the definer. If a definer
-- function of the application calls these, its own caller counts, which is the stricter rule.
CREATE OR REPLACE FUNCTION avinode_ingest.caller_passes_row_security() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT caller.rolsuper
        OR caller.rolbypassrls
        OR pg_catalog.pg_has_role(caller.oid, sessions.relowner, 'USAGE')
        OR EXISTS (
            SELECT FROM pg_catalog.pg_roles AS service
            WHERE service.rolname = 'service_role' AND pg_catalog.pg_has_role(caller.oid, service.oid, 'USAGE')
        )
    FROM pg_catalog.pg_roles AS caller, pg_catalog.pg_class AS sessions
    WHERE caller.rolname = coalesce(nullif(pg_catalog.current_setting('role'), 'none'), session_user)
      AND sessions.oid = 'public.chat_sessions'::pg_catalog.regclass
$$;

COMMENT ON FUNCTION avinode_ingest.caller_passes_row_security() IS
    'True if the calling role may reach every chat session: superusers, roles with BYPASSRLS, the owner of the table, the service role.';

REVOKE ALL ON FUNCTION avinode_ingest.caller_passes_row_security() FROM PUBLIC;

DO $do$
BEGIN
    IF to_regprocedure('public.archive_old_chat_sessions()') IS NULL THEN
        CREATE FUNCTION public.archive_old_chat_sessions() RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $$
        #variable_conflict use_variable
        DECLARE
            every_session CONSTANT boolean := avinode_ingest.caller_passes_row_security();
            agent CONSTANT uuid := avinode_ingest.caller_agent_id();
            archived integer;
        BEGIN
            WITH due AS (
                SELECT session.id
                FROM public.chat_sessions AS session
                WHERE session.status = 'completed'
                  AND session.session_ended_at < now() - interval '90 days'
                  AND (every_session OR session.iso_agent_id = agent)
                ORDER BY session.id
                FOR NO KEY UPDATE
            )
            UPDATE public.chat_sessions AS session
            SET status = 'archived', updated_at = now()
            FROM due
            WHERE session.id = due.id;
            GET DIAGNOSTICS archived = ROW_COUNT;
            RETURN archived;
        END
        $$;
        COMMENT ON FUNCTION public.archive_old_chat_sessions() IS
            'Archives completed sessions that ended more than 90 days ago and returns their number. An agent archives the agent''s own sessions only.';
        REVOKE ALL ON FUNCTION public.archive_old_chat_sessions() FROM PUBLIC;
    END IF;

    IF to_regprocedure('public.update_chat_session_activity(uuid)') IS NULL THEN
        CREATE FUNCTION public.update_chat_session_activity(session_id uuid) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $$
        #variable_conflict use_variable
        DECLARE
            every_session CONSTANT boolean := avinode_ingest.caller_passes_row_security();
            agent CONSTANT uuid := avinode_ingest.caller_agent_id();
        BEGIN
            UPDATE public.chat_sessions AS session
            SET last_activity_at = greatest(session.last_activity_at, now()), updated_at = now()
            WHERE session.id = session_id
              AND (every_session OR session.iso_agent_id = agent);
            RETURN FOUND;
        END
        $$;
        COMMENT ON FUNCTION public.update_chat_session_activity(uuid) IS
            'Sets the last activity of the session to now, never to an earlier time. Returns false if the session does not exist or belongs to another agent.';
        REVOKE ALL ON FUNCTION public.update_chat_session_activity(uuid) FROM PUBLIC;
    END IF;

    IF to_regprocedure('public.complete_chat_session(uuid)') IS NULL THEN
        CREATE FUNCTION public.complete_chat_session(session_id uuid) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $$
        #variable_conflict use_variable
        DECLARE
            every_session CONSTANT boolean := avinode_ingest.caller_passes_row_security();
            agent CONSTANT uuid := avinode_ingest.caller_agent_id();
        BEGIN
            -- An archived session has been completed already: its status and its end stay.
            UPDATE public.chat_sessions AS session
            SET status = 'completed',
                session_ended_at = coalesce(session.session_ended_at, now()),
                updated_at = now()
            WHERE session.id = session_id
              AND session.status <> 'archived'
              AND (every_session OR session.iso_agent_id = agent);
            RETURN FOUND;
        END
        $$;
        COMMENT ON FUNCTION public.complete_chat_session(uuid) IS
            'Completes the session and sets its end to now if it has none. Returns false if the session does not exist, is archived or belongs to another agent.';
        REVOKE ALL ON FUNCTION public.complete_chat_session(uuid) FROM PUBLIC;
    END IF;
END
$do$;

-- Applies to the functions created above only: a function of the application does not call caller_passes_row_security().
-- Supabase's default privileges grant EXECUTE on new functions to anon as well.
DO $$
DECLARE
    created record;
    application_role name;
BEGIN
    FOR created IN
        SELECT oid::regprocedure AS name
        FROM pg_catalog.pg_proc
        WHERE oid IN (
                  to_regprocedure('public.archive_old_chat_sessions()'),
                  to_regprocedure('public.update_chat_session_activity(uuid)'),
                  to_regprocedure('public.complete_chat_session(uuid)')
              )
          AND prosrc LIKE '%avinode_ingest.caller_passes_row_security()%'
    LOOP
        FOR application_role IN
            SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
        LOOP
            IF application_role = 'anon' THEN
                EXECUTE format('REVOKE ALL ON FUNCTION %s FROM anon', created.name);
            ELSE
                EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', created.name, application_role);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
