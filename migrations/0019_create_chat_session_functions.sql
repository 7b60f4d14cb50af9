-- The helper functions of session tracking, for the application's SQL and its RPC.
-- Where the application has a function of the same name and arguments, its own stays: its callers rely on it.
--
-- They are SECURITY DEFINER and so pass row-level security, which makes whose sessions they touch their own business:
-- all of them for a caller whom row-level security would let pass, the calling agent's for everybody else.
-- (An application's table may have a column named like one of our variables: columns are always written with `session.`.)
-- They lock sessions one at a time or in the order of their ids, as everything here does.

-- The caller is the role that was SET, or else the one that logged in: current_user is the definer by now. A definer
-- function of the application's that calls these still counts as the caller outside it, which is the narrower reading.
CREATE OR REPLACE FUNCTION avinode_ingest.caller_passes_row_security() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = ''
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
    'Whether the calling role may reach every chat session: a superuser, one with BYPASSRLS, the table''s owner, the service role.';

REVOKE ALL ON FUNCTION avinode_ingest.caller_passes_row_security() FROM PUBLIC;

DO $do$
BEGIN
    IF to_regprocedure('public.archive_old_chat_sessions()') IS NULL THEN
        CREATE FUNCTION public.archive_old_chat_sessions() RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = ''
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
            'Archives completed sessions that ended more than 90 days ago; returns how many. An agent archives their own only.';
        REVOKE ALL ON FUNCTION public.archive_old_chat_sessions() FROM PUBLIC;
    END IF;

    IF to_regprocedure('public.update_chat_session_activity(uuid)') IS NULL THEN
        CREATE FUNCTION public.update_chat_session_activity(session_id uuid) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = ''
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
            'Moves the session''s last activity to now, never back; false where there is no such session, or it is another agent''s.';
        REVOKE ALL ON FUNCTION public.update_chat_session_activity(uuid) FROM PUBLIC;
    END IF;

    IF to_regprocedure('public.complete_chat_session(uuid)') IS NULL THEN
        CREATE FUNCTION public.complete_chat_session(session_id uuid) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = ''
        AS $$
        #variable_conflict use_variable
        DECLARE
            every_session CONSTANT boolean := avinode_ingest.caller_passes_row_security();
            agent CONSTANT uuid := avinode_ingest.caller_agent_id();
        BEGIN
            -- An archived session was completed before: it does not come back, and its end stays.
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
            'Marks the session completed, with its end now unless it has one; false where there is no such session, it is archived, or it is another agent''s.';
        REVOKE ALL ON FUNCTION public.complete_chat_session(uuid) FROM PUBLIC;
    END IF;
END
$do$;

-- Only those made above: a function of the application's has no caller_passes_row_security() in it.
-- Supabase's default privileges give new functions to anon as well.
DO $$
DECLARE
    made record;
    application_role name;
BEGIN
    FOR made IN
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
                EXECUTE format('REVOKE ALL ON FUNCTION %s FROM anon', made.name);
            ELSE
                EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', made.name, application_role);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
