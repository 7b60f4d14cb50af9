-- A session that is given an RFQ is matched as one that is given a trip id: the triggers' functions look at that column too.
CREATE OR REPLACE FUNCTION avinode_ingest.sessions_inserted() RETURNS trigger
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
    WHERE avinode_trip_id IS NOT NULL OR avinode_rfq_id IS NOT NULL OR primary_quote_id IS NOT NULL;
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

CREATE OR REPLACE FUNCTION avinode_ingest.sessions_updated() RETURNS trigger
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
    RAISE WARNING 'avinode-ingest could not look at changed chat sessions; they are found later: %', SQLERRM;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION avinode_ingest.sessions_inserted() IS 'Trigger: notes sessions that are made with a trip id, an RFQ id or a primary quote.';
COMMENT ON FUNCTION avinode_ingest.sessions_updated() IS 'Trigger: notes sessions whose trip id, RFQ id or primary quote has really changed.';
