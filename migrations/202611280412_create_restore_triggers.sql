-- An application may drop chat_sessions or requests while the service runs, and create them again: without our triggers. The
-- service, and `migrate`, create them again by this function. It runs with the privileges of its caller, who needs TRIGGER on the
-- table, as its owner has.
CREATE FUNCTION avinode_ingest.restore_triggers() RETURNS text[]
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing record;
    restored text[] := '{}';
BEGIN
    FOR missing IN
        SELECT needed.*
        FROM (VALUES
            ('chat_sessions', 'avinode_ingest_session_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS written', 'sessions_inserted'),
            ('chat_sessions', 'avinode_ingest_session_updated', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS before NEW TABLE AS after', 'sessions_updated'),
            ('chat_sessions', 'avinode_ingest_session_deleted', 'AFTER DELETE', 'REFERENCING OLD TABLE AS deleted', 'sessions_deleted'),
            ('chat_sessions', 'avinode_ingest_sessions_truncated', 'AFTER TRUNCATE', '', 'sessions_truncated'),
            ('requests', 'avinode_ingest_request_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS written', 'requests_inserted'),
            ('requests', 'avinode_ingest_request_updated', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS before NEW TABLE AS after', 'requests_updated')
        ) AS needed (table_name, trigger_name, event, transition, function_name)
        WHERE to_regclass('public.' || needed.table_name) IS NOT NULL
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_trigger
              WHERE tgrelid = to_regclass('public.' || needed.table_name) AND tgname = needed.trigger_name
          )
    LOOP
        EXECUTE format('CREATE TRIGGER %I %s ON public.%I %s FOR EACH STATEMENT EXECUTE FUNCTION avinode_ingest.%I()',
                       missing.trigger_name, missing.event, missing.table_name, missing.transition, missing.function_name);
        restored := restored || missing.trigger_name;
    END LOOP;
    RETURN restored;
END
$$;
COMMENT ON FUNCTION avinode_ingest.restore_triggers() IS
    'Creates the missing triggers of the service on tables that exist, and returns their names.';
