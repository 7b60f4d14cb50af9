-- The same notes as before, taken once a statement instead of once a row. A row's note needed two subtransactions of its own,
-- so a statement of the application's that wrote 50,000 sessions took twice its time, which is an error where a role has a
-- statement_timeout (Supabase: 8 s for agents), and its 100,000 subtransactions slowed down every other transaction.
--
-- As before: they decide nothing, they take no lock that a worker holds, and they never fail the application's write.

-- Writes the notes: all at once, or, where one is refused (to a strict transaction, say), one by one, so that the others stay.
CREATE FUNCTION avinode_ingest.record_session_changes(changed uuid[], chosen uuid[], pins boolean[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place integer;
    missed integer := 0;
    reason text;
BEGIN
    BEGIN
        INSERT INTO avinode_ingest.jobs (kind, key)
        SELECT 'rematch', session_id::text FROM unnest(changed) AS session_id;
        -- Writing a primary quote pins it, writing NULL unpins.
        INSERT INTO avinode_ingest.session_state (session_id, pinned)
        SELECT session_id, pinned FROM unnest(chosen, pins) AS written (session_id, pinned)
        ON CONFLICT (session_id) DO UPDATE SET pinned = EXCLUDED.pinned;
        RETURN;
    EXCEPTION WHEN OTHERS THEN
        NULL; -- one by one, then
    END;
    FOR place IN 1 .. coalesce(cardinality(changed), 0) LOOP
        BEGIN
            INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('rematch', changed[place]::text);
        EXCEPTION WHEN OTHERS THEN
            missed := missed + 1;
            reason := SQLERRM;
            EXIT WHEN missed >= 100; -- it is not the row's fault; the sweep makes up for all of them
        END;
    END LOOP;
    FOR place IN 1 .. coalesce(cardinality(chosen), 0) LOOP
        BEGIN
            INSERT INTO avinode_ingest.session_state (session_id, pinned) VALUES (chosen[place], pins[place])
            ON CONFLICT (session_id) DO UPDATE SET pinned = EXCLUDED.pinned;
        EXCEPTION WHEN OTHERS THEN
            missed := missed + 1;
            reason := SQLERRM;
            EXIT WHEN missed >= 200;
        END;
    END LOOP;
    IF missed > 0 THEN
        RAISE WARNING 'avinode-ingest could not note all changes of chat sessions; they are found later: %', reason;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.record_session_changes(uuid[], uuid[], boolean[]) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.record_session_changes(uuid[], uuid[], boolean[]) IS
    'Notes for the workers that sessions got another trip id or primary quote, and pins of the latter.';

CREATE FUNCTION avinode_ingest.sessions_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids uuid[];
    pins boolean[];
BEGIN
    -- Our own transactions mark themselves; what they write needs no note.
    IF current_setting('avinode_ingest.writer', true) = 'on' THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(id ORDER BY id), array_agg(primary_quote_id IS NOT NULL ORDER BY id) INTO ids, pins
    FROM written
    WHERE avinode_trip_id IS NOT NULL OR primary_quote_id IS NOT NULL;
    IF ids IS NOT NULL THEN
        PERFORM avinode_ingest.record_session_changes(ids, ids, pins);
        -- Wakes only; several in one transaction are sent as one.
        PERFORM pg_notify('avinode_ingest_jobs', '');
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not look at new chat sessions; they are found later: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.sessions_inserted() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.sessions_inserted() IS 'Trigger: notes sessions that are made with a trip id or a primary quote.';

CREATE FUNCTION avinode_ingest.sessions_updated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed uuid[];
    chosen uuid[];
    pins boolean[];
BEGIN
    IF current_setting('avinode_ingest.writer', true) = 'on' THEN
        RETURN NULL;
    END IF;
    -- What stands on both sides has not really changed. Not a join: its plan, made for a session's first statement of one
    -- row and kept, would compare every row of a later one with every other.
    SELECT array_agg(id ORDER BY id) INTO changed
    FROM (
        SELECT id
        FROM (
            SELECT id, avinode_trip_id, primary_quote_id, false AS is_new FROM before
            UNION ALL
            SELECT id, avinode_trip_id, primary_quote_id, true FROM after
        ) AS both_sides
        GROUP BY id, avinode_trip_id, primary_quote_id
        HAVING count(*) = 1 AND bool_and(is_new)
    ) AS different;
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(id ORDER BY id), array_agg(primary_quote_id IS NOT NULL ORDER BY id) INTO chosen, pins
    FROM (
        SELECT id, primary_quote_id
        FROM (
            SELECT id, primary_quote_id, false AS is_new FROM before
            UNION ALL
            SELECT id, primary_quote_id, true FROM after
        ) AS both_sides
        GROUP BY id, primary_quote_id
        HAVING count(*) = 1 AND bool_and(is_new)
    ) AS different;
    PERFORM avinode_ingest.record_session_changes(changed, chosen, pins);
    PERFORM pg_notify('avinode_ingest_jobs', '');
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not look at changed chat sessions; they are found later: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.sessions_updated() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.sessions_updated() IS 'Trigger: notes sessions whose trip id or primary quote has really changed.';

CREATE OR REPLACE TRIGGER avinode_ingest_session_inserted
    AFTER INSERT ON public.chat_sessions
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.sessions_inserted();

CREATE OR REPLACE TRIGGER avinode_ingest_session_updated
    AFTER UPDATE ON public.chat_sessions
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.sessions_updated();

DROP FUNCTION avinode_ingest.session_written();
