-- The application sets trip ids and primary quotes by its own SQL, without asking. These triggers leave a note for the
-- workers. They decide nothing, they take no lock that a worker holds (session_state is only locked under the session's
-- row, which the writer of that row holds already), and they never fail the application's write: a sweep finds what
-- a swallowed error has missed.
CREATE FUNCTION avinode_ingest.session_written() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Our own transactions mark themselves; what they write needs no note.
    IF current_setting('avinode_ingest.writer', true) = 'on' THEN
        RETURN NULL;
    END IF;
    -- Two blocks: one note that fails (in a serialisable transaction of the application's, say) does not take the other along.
    BEGIN
        INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('rematch', NEW.id::text);
        -- Wakes only; several in one transaction are sent as one.
        PERFORM pg_notify('avinode_ingest_jobs', '');
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'avinode-ingest could not note the change of session %: %', NEW.id, SQLERRM;
    END;
    BEGIN
        -- Writing a primary quote pins it, writing NULL unpins.
        IF TG_OP = 'INSERT' OR OLD.primary_quote_id IS DISTINCT FROM NEW.primary_quote_id THEN
            INSERT INTO avinode_ingest.session_state (session_id, pinned)
            VALUES (NEW.id, NEW.primary_quote_id IS NOT NULL)
            ON CONFLICT (session_id) DO UPDATE SET pinned = EXCLUDED.pinned;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'avinode-ingest could not note the primary quote of session %: %', NEW.id, SQLERRM;
    END;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION avinode_ingest.session_written() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.session_written() IS 'Notes for the workers that a session got another trip id or primary quote.';

CREATE TRIGGER avinode_ingest_session_inserted
    AFTER INSERT ON public.chat_sessions
    FOR EACH ROW
    WHEN (NEW.avinode_trip_id IS NOT NULL OR NEW.primary_quote_id IS NOT NULL)
    EXECUTE FUNCTION avinode_ingest.session_written();

CREATE TRIGGER avinode_ingest_session_updated
    AFTER UPDATE ON public.chat_sessions
    FOR EACH ROW
    WHEN (OLD.avinode_trip_id IS DISTINCT FROM NEW.avinode_trip_id
        OR OLD.primary_quote_id IS DISTINCT FROM NEW.primary_quote_id)
    EXECUTE FUNCTION avinode_ingest.session_written();
