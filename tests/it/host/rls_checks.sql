-- What the application's roles may do with chat_sessions, tried as those roles. Run after the migrations, as a superuser, on
-- any database: an empty one with or without Supabase's roles, or an attached one. Raises at the first thing that is wrong.
-- Leaves nothing behind: it ends by rolling back, roles that it had to make included.
BEGIN;

-- On a plain Postgres the administrator makes the roles and gives them the table; the policies do the rest.
DO $$ BEGIN CREATE ROLE anon NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE authenticated NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT SELECT, INSERT, UPDATE ON public.chat_sessions TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.chat_sessions TO service_role;
GRANT EXECUTE ON FUNCTION public.archive_old_chat_sessions(), public.update_chat_session_activity(uuid),
    public.complete_chat_session(uuid) TO authenticated, service_role;

-- Two agents, each with a fresh session, and one that ended long ago.
INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name) VALUES
    ('0a000000-0000-4000-8000-00000000000a', 'check_dora', 'dora@check.example', 'Dora'),
    ('0a000000-0000-4000-8000-00000000000b', 'check_emil', 'emil@check.example', 'Emil');
INSERT INTO public.conversations (id, subject) VALUES ('0c000000-0000-4000-8000-00000000000c', 'Checks');
INSERT INTO public.chat_sessions
    (id, conversation_id, iso_agent_id, status, session_started_at, session_ended_at, last_activity_at, created_at, updated_at)
SELECT id::uuid, '0c000000-0000-4000-8000-00000000000c', agent::uuid, status::public.chat_session_status,
       now() - interval '1 year', ended, now() - interval '1 year', now(), now()
FROM (VALUES
    ('0d000000-0000-4000-8000-0000000000a1', '0a000000-0000-4000-8000-00000000000a', 'active',    NULL),
    ('0d000000-0000-4000-8000-0000000000a2', '0a000000-0000-4000-8000-00000000000a', 'completed', now() - interval '91 days'),
    ('0d000000-0000-4000-8000-0000000000b1', '0a000000-0000-4000-8000-00000000000b', 'active',    NULL),
    ('0d000000-0000-4000-8000-0000000000b2', '0a000000-0000-4000-8000-00000000000b', 'completed', now() - interval '91 days'),
    ('0d000000-0000-4000-8000-0000000000b3', '0a000000-0000-4000-8000-00000000000b', 'completed', now() - interval '89 days')
) AS session (id, agent, status, ended);

-- An agent sees their own sessions and no others.
DO $$
DECLARE
    seen text;
BEGIN
    PERFORM set_config('request.jwt.claims', '{"sub": "check_dora", "role": "authenticated"}', true);
    SET LOCAL ROLE authenticated;
    SELECT string_agg(right(id::text, 2), ' ' ORDER BY id) INTO seen FROM public.chat_sessions;
    RESET ROLE;
    IF seen IS DISTINCT FROM 'a1 a2' THEN
        RAISE EXCEPTION 'an agent sees other sessions than their own: %', seen;
    END IF;
END
$$;

-- An agent changes their own sessions; an update of another agent's finds no row. One without a condition reads nothing, so
-- only the policy for updates holds it back.
DO $$
DECLARE
    own integer;
    others integer;
    blind integer;
BEGIN
    PERFORM set_config('request.jwt.claims', '{"sub": "check_dora"}', true);
    SET LOCAL ROLE authenticated;
    UPDATE public.chat_sessions SET current_step = 'searching_aircraft' WHERE id = '0d000000-0000-4000-8000-0000000000a1';
    GET DIAGNOSTICS own = ROW_COUNT;
    UPDATE public.chat_sessions SET current_step = 'taken over' WHERE id = '0d000000-0000-4000-8000-0000000000b1';
    GET DIAGNOSTICS others = ROW_COUNT;
    UPDATE public.chat_sessions SET current_step = 'searching_aircraft';
    GET DIAGNOSTICS blind = ROW_COUNT;
    RESET ROLE;
    IF own <> 1 OR others <> 0 OR blind <> 2 THEN
        RAISE EXCEPTION 'an agent updated %, % and % sessions, not 1 of their own, 0 of another''s and 2 without a condition',
            own, others, blind;
    END IF;
END
$$;

-- An agent starts sessions for nobody else, and gives none away.
DO $$
BEGIN
    PERFORM set_config('request.jwt.claims', '{"sub": "check_dora"}', true);
    SET LOCAL ROLE authenticated;
    INSERT INTO public.chat_sessions
        (conversation_id, iso_agent_id, session_started_at, last_activity_at, created_at, updated_at)
    VALUES ('0c000000-0000-4000-8000-00000000000c', '0a000000-0000-4000-8000-00000000000a', now(), now(), now(), now());
    BEGIN
        INSERT INTO public.chat_sessions
            (conversation_id, iso_agent_id, session_started_at, last_activity_at, created_at, updated_at)
        VALUES ('0c000000-0000-4000-8000-00000000000c', '0a000000-0000-4000-8000-00000000000b', now(), now(), now(), now());
        RAISE EXCEPTION 'an agent started a session for another agent';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    BEGIN
        UPDATE public.chat_sessions SET iso_agent_id = '0a000000-0000-4000-8000-00000000000b'
        WHERE id = '0d000000-0000-4000-8000-0000000000a1';
        RAISE EXCEPTION 'an agent gave a session to another agent';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    RESET ROLE;
END
$$;

-- A login that is nobody's, no claims, an empty setting and claims without a login all see nothing.
DO $$
DECLARE
    claims text;
    seen bigint;
BEGIN
    FOREACH claims IN ARRAY ARRAY['{"sub": "nobody"}', '', '{}', '{"sub": null}', '[]', 'null'] LOOP
        PERFORM set_config('request.jwt.claims', claims, true);
        SET LOCAL ROLE authenticated;
        SELECT count(*) INTO seen FROM public.chat_sessions;
        RESET ROLE;
        IF seen <> 0 THEN
            RAISE EXCEPTION 'the claims % see % sessions', claims, seen;
        END IF;
    END LOOP;
END
$$;

-- anon sees nothing, writes nothing, whatever claims it makes up: refused outright, or no row.
DO $$
DECLARE
    touched bigint := 0;
BEGIN
    PERFORM set_config('request.jwt.claims', '{"role": "anon"}', true);
    SET LOCAL ROLE anon;
    BEGIN
        SELECT count(*) INTO touched FROM public.chat_sessions;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    IF touched <> 0 THEN
        RAISE EXCEPTION 'anon sees % sessions', touched;
    END IF;
    BEGIN
        UPDATE public.chat_sessions SET current_step = 'taken over';
        GET DIAGNOSTICS touched = ROW_COUNT;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    IF touched <> 0 THEN
        RAISE EXCEPTION 'anon updated % sessions', touched;
    END IF;
    BEGIN
        INSERT INTO public.chat_sessions
            (conversation_id, iso_agent_id, session_started_at, last_activity_at, created_at, updated_at)
        VALUES ('0c000000-0000-4000-8000-00000000000c', '0a000000-0000-4000-8000-00000000000a', now(), now(), now(), now());
        RAISE EXCEPTION 'anon started a session';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    RESET ROLE;
END
$$;

-- The service role sees and changes everything, without any claims.
DO $$
DECLARE
    seen bigint;
    changed integer;
BEGIN
    PERFORM set_config('request.jwt.claims', '', true);
    SET LOCAL ROLE service_role;
    SELECT count(*) INTO seen FROM public.chat_sessions WHERE conversation_id = '0c000000-0000-4000-8000-00000000000c';
    UPDATE public.chat_sessions SET current_step = 'requesting_quotes'
    WHERE id IN ('0d000000-0000-4000-8000-0000000000a1', '0d000000-0000-4000-8000-0000000000b1');
    GET DIAGNOSTICS changed = ROW_COUNT;
    RESET ROLE;
    IF seen <> 6 OR changed <> 2 THEN
        RAISE EXCEPTION 'the service role sees % of 6 sessions and changed % of 2', seen, changed;
    END IF;
END
$$;

-- The helper functions do not reach another agent's session: as an agent, the other's rows stay as they are.
DO $$
DECLARE
    before text;
    after text;
BEGIN
    SELECT string_agg(session::text, ' ' ORDER BY id) INTO before FROM public.chat_sessions AS session
    WHERE iso_agent_id <> '0a000000-0000-4000-8000-00000000000a';

    PERFORM set_config('request.jwt.claims', '{"sub": "check_dora"}', true);
    SET LOCAL ROLE authenticated;
    PERFORM public.update_chat_session_activity('0d000000-0000-4000-8000-0000000000b1');
    PERFORM public.complete_chat_session('0d000000-0000-4000-8000-0000000000b1');
    IF public.archive_old_chat_sessions() <> 1 THEN
        RAISE EXCEPTION 'an agent''s archive is not their one old session';
    END IF;
    -- their own, on the other hand, are reached
    PERFORM public.update_chat_session_activity('0d000000-0000-4000-8000-0000000000a1');
    PERFORM public.complete_chat_session('0d000000-0000-4000-8000-0000000000a1');
    RESET ROLE;

    SELECT string_agg(session::text, ' ' ORDER BY id) INTO after FROM public.chat_sessions AS session
    WHERE iso_agent_id <> '0a000000-0000-4000-8000-00000000000a';
    IF before IS DISTINCT FROM after THEN
        RAISE EXCEPTION 'a helper function changed another agent''s session';
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.chat_sessions
        WHERE id = '0d000000-0000-4000-8000-0000000000a1' AND status = 'completed'
          AND session_ended_at = now() AND last_activity_at = now()
    ) OR NOT EXISTS (
        SELECT FROM public.chat_sessions WHERE id = '0d000000-0000-4000-8000-0000000000a2' AND status = 'archived'
    ) THEN
        RAISE EXCEPTION 'a helper function did not do its work on the agent''s own sessions';
    END IF;
END
$$;

-- Completing twice keeps the first end; completing what is archived brings nothing back.
DO $$
BEGIN
    PERFORM set_config('request.jwt.claims', '', true);
    SET LOCAL ROLE service_role;
    PERFORM public.complete_chat_session('0d000000-0000-4000-8000-0000000000b3');
    PERFORM public.complete_chat_session('0d000000-0000-4000-8000-0000000000a2');
    RESET ROLE;
    IF NOT EXISTS (
        SELECT FROM public.chat_sessions
        WHERE id = '0d000000-0000-4000-8000-0000000000b3' AND session_ended_at = now() - interval '89 days'
    ) OR NOT EXISTS (
        SELECT FROM public.chat_sessions WHERE id = '0d000000-0000-4000-8000-0000000000a2' AND status = 'archived'
    ) THEN
        RAISE EXCEPTION 'completing a session that has ended changed its end or its archive';
    END IF;
END
$$;

-- The service role archives everybody's, and only what ended more than 90 days ago.
DO $$
DECLARE
    due bigint;
    archived integer;
BEGIN
    SELECT count(*) INTO due FROM public.chat_sessions
    WHERE status = 'completed' AND session_ended_at < now() - interval '90 days';
    SET LOCAL ROLE service_role;
    archived := public.archive_old_chat_sessions();
    RESET ROLE;
    IF archived <> due OR due = 0 THEN
        RAISE EXCEPTION 'the service role archived % of % sessions', archived, due;
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.chat_sessions WHERE id = '0d000000-0000-4000-8000-0000000000b3' AND status = 'completed'
    ) THEN
        RAISE EXCEPTION 'a session that ended 89 days ago was archived';
    END IF;
END
$$;

-- anon may not even call the functions that are ours.
DO $$
DECLARE
    helper record;
BEGIN
    FOR helper IN
        SELECT proc.oid, proc.oid::regprocedure AS name, proc.prosecdef, proc.proconfig
        FROM pg_catalog.pg_proc AS proc
        WHERE proc.prosrc LIKE '%avinode_ingest.caller_passes_row_security()%'
    LOOP
        IF has_function_privilege('anon', helper.oid, 'EXECUTE') THEN
            RAISE EXCEPTION 'anon may call %', helper.name;
        END IF;
        IF NOT helper.prosecdef OR helper.proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp'] THEN
            RAISE EXCEPTION '% is not a definer function with a fixed search_path', helper.name;
        END IF;
    END LOOP;
END
$$;

-- The service's own schema is closed to all of them, whatever is granted on what stands in it.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF has_schema_privilege(role_name, 'avinode_ingest', 'USAGE') OR has_schema_privilege(role_name, 'avinode_ingest', 'CREATE') THEN
            RAISE EXCEPTION 'the schema avinode_ingest is open to %', role_name;
        END IF;
    END LOOP;
END
$$;

ROLLBACK;
