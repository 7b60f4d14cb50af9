-- On tables that the service made, the application's roles get what a chat client needs and no more. On tables of the application
-- nothing changes; `check` names grants there that let an agent claim trips.
DO $$
DECLARE
    needed record;
    own record;
    application_role name;
BEGIN
    -- Trip ids, RFQ ids, references, counts and times are written by the API and by the service role. Only a role that has the
    -- privilege on the whole table, as 0021 granted it, gets the columns instead: an admin may have granted less.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'authenticated') AND EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid = to_regclass('public.chat_sessions') AND tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
    ) THEN
        FOR needed IN
            SELECT client.privilege, string_agg(format('%I', attname), ', ' ORDER BY attnum) AS columns
            FROM (VALUES
                ('INSERT', '{id,conversation_id,iso_agent_id,status,current_step,workflow_state,message_count,metadata,conversation_type}'::name[]),
                ('UPDATE', '{status,session_ended_at,last_activity_at,current_step,workflow_state,message_count,metadata,conversation_type,primary_quote_id}')
            ) AS client (privilege, columns)
            JOIN pg_catalog.pg_attribute ON attrelid = to_regclass('public.chat_sessions') AND attname = ANY (client.columns)
                AND attnum > 0 AND NOT attisdropped
            WHERE has_table_privilege('authenticated', 'public.chat_sessions', client.privilege)
            GROUP BY client.privilege
        LOOP
            EXECUTE format('REVOKE %s ON TABLE public.chat_sessions FROM authenticated', needed.privilege);
            EXECUTE format('GRANT %s (%s) ON TABLE public.chat_sessions TO authenticated', needed.privilege, needed.columns);
        END LOOP;
    END IF;

    -- Supabase's default privileges open every new table of `public` to these roles. Without row-level security each agent
    -- would read and write the rows of all.
    FOR own IN
        SELECT class.relname
        FROM pg_catalog.pg_class AS class
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE nspname = 'public' AND relname IN ('iso_agents', 'requests', 'quotes', 'conversations', 'proposals')
            AND relkind IN ('r', 'p') AND NOT relrowsecurity
            AND EXISTS (
                SELECT FROM pg_catalog.pg_trigger
                WHERE tgrelid = class.oid AND tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
            )
        ORDER BY class.relname
    LOOP
        FOR application_role IN
            SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN ('anon', 'authenticated') ORDER BY rolname
        LOOP
            EXECUTE format('REVOKE ALL ON TABLE public.%I FROM %I', own.relname, application_role);
        END LOOP;
    END LOOP;
END
$$;
