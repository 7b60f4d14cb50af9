-- The application writes trip ids, RFQ ids and primary quotes with SQL of its own. These triggers insert a rematch job and record
-- pins for the workers. They decide nothing. They take no lock that a worker holds: session_state rows are locked only under the
-- lock of their session, which the writing transaction already has. They never fail the application's write: the resync
-- finds what a failed insert has missed.
--
-- One trigger per statement instead of per row: per row, the two subtransactions would double the time of a statement that writes
-- 50,000 sessions, which then fails where a role has a statement_timeout (Supabase: 8 s for agents), and its 100,000
-- subtransactions would slow down every other transaction.

-- Inserts all rows, or, if one is refused (in a serializable transaction, for example), each row in a subtransaction of its own.
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
        NULL; -- continue row by row
    END;
    FOR place IN 1 .. coalesce(cardinality(changed), 0) LOOP
        BEGIN
            INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('rematch', changed[place]::text);
        EXCEPTION WHEN OTHERS THEN
            missed := missed + 1;
            reason := SQLERRM;
            EXIT WHEN missed >= 100; -- the cause is not in the row; the resync finds the rest
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
        RAISE WARNING 'avinode-ingest could not record all changes of chat sessions; the resync will find them: %', reason;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.record_session_changes(uuid[], uuid[], boolean[]) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.record_session_changes(uuid[], uuid[], boolean[]) IS
    'Inserts rematch jobs for sessions with another trip id, RFQ id or primary quote, and pins or unpins primary quotes.';

CREATE FUNCTION avinode_ingest.sessions_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids uuid[];
    pins boolean[];
BEGIN
    -- The service's own transactions set this marker; their writes need no rematch.
    IF current_setting('avinode_ingest.writer', true) = 'on' THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(id ORDER BY id), array_agg(primary_quote_id IS NOT NULL ORDER BY id) INTO ids, pins
    FROM written
    WHERE avinode_trip_id IS NOT NULL OR avinode_rfq_id IS NOT NULL OR primary_quote_id IS NOT NULL;
    IF ids IS NOT NULL THEN
        PERFORM avinode_ingest.record_session_changes(ids, ids, pins);
        -- Only a wake-up; Postgres sends equal notifications of one transaction once.
        PERFORM pg_notify('avinode_ingest_jobs', '');
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read new chat sessions; the resync will find them: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.sessions_inserted() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.sessions_inserted() IS
    'Trigger: records sessions that are inserted with a trip id, an RFQ id or a primary quote.';

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
    -- Values found on both sides are unchanged. Not a join: the plan is made for the first statement, usually of one row, and
    -- kept; for a later statement of many rows it would compare every row with every other.
    SELECT array_agg(id ORDER BY id) INTO changed
    FROM (
        SELECT id
        FROM (
            SELECT id, avinode_trip_id, avinode_rfq_id, primary_quote_id, false AS is_new FROM before
            UNION ALL
            SELECT id, avinode_trip_id, avinode_rfq_id, primary_quote_id, true FROM after
        ) AS both_sides
        GROUP BY id, avinode_trip_id, avinode_rfq_id, primary_quote_id
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
    RAISE WARNING 'avinode-ingest could not read changed chat sessions; the resync will find them: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.sessions_updated() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.sessions_updated() IS
    'Trigger: records sessions with another trip id, RFQ id or primary quote than before.';

CREATE TRIGGER avinode_ingest_session_inserted
    AFTER INSERT ON public.chat_sessions
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.sessions_inserted();

CREATE TRIGGER avinode_ingest_session_updated
    AFTER UPDATE ON public.chat_sessions
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.sessions_updated();
