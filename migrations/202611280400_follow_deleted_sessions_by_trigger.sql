-- The service's records of a session follow the session by triggers instead of foreign keys: a reference to chat_sessions makes
-- TRUNCATE and DROP TABLE by the application fail.
--
-- A worker writes records of a session only while it holds a lock on the session, as the foreign keys did.

CREATE FUNCTION avinode_ingest.sessions_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids uuid[];
BEGIN
    SELECT array_agg(id) INTO ids FROM deleted;
    IF ids IS NOT NULL THEN
        DELETE FROM avinode_ingest.timeline WHERE session_id = ANY (ids);
        DELETE FROM avinode_ingest.ledger WHERE session_id = ANY (ids);
        DELETE FROM avinode_ingest.session_state WHERE session_id = ANY (ids);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not delete its records of deleted chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.sessions_deleted() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.sessions_deleted() IS
    'Trigger: deletes the state, the ledger and the timeline of deleted sessions.';

-- The records are truncated as well, because deleting those of a million sessions could exceed the statement_timeout of the
-- application. Where another transaction reads them (a dump), they are deleted row by row.
CREATE FUNCTION avinode_ingest.sessions_truncated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms'
AS $$
BEGIN
    BEGIN
        TRUNCATE avinode_ingest.timeline, avinode_ingest.ledger, avinode_ingest.session_state;
        RETURN NULL;
    EXCEPTION WHEN OTHERS THEN
        NULL; -- continue row by row
    END;
    DELETE FROM avinode_ingest.timeline;
    DELETE FROM avinode_ingest.ledger;
    DELETE FROM avinode_ingest.session_state;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not delete its records of truncated chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.sessions_truncated() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.sessions_truncated() IS
    'Trigger: empties the state, the ledger and the timeline of sessions.';

CREATE TRIGGER avinode_ingest_session_deleted
    AFTER DELETE ON public.chat_sessions
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.sessions_deleted();

CREATE TRIGGER avinode_ingest_sessions_truncated
    AFTER TRUNCATE ON public.chat_sessions
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.sessions_truncated();

ALTER TABLE avinode_ingest.timeline DROP CONSTRAINT IF EXISTS timeline_session_id_fkey;
ALTER TABLE avinode_ingest.ledger DROP CONSTRAINT IF EXISTS ledger_session_id_fkey;
ALTER TABLE avinode_ingest.session_state DROP CONSTRAINT IF EXISTS session_state_session_id_fkey;
