-- The triggers also record sessions with another request, another RFQ id in avinode_rfp_id, or another activity (active or not):
-- the rows of a trip in `quotes` belong to an active session. A new pair of triggers records the sessions of requests that get
-- another trip id. As before, they decide nothing and never fail the application's write.

CREATE OR REPLACE FUNCTION avinode_ingest.sessions_inserted() RETURNS trigger
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
    -- Every session with a request: the transaction that gives the request its trip id may not see the session.
    SELECT array_agg(id ORDER BY id), array_agg(primary_quote_id IS NOT NULL ORDER BY id) INTO ids, pins
    FROM written
    WHERE avinode_trip_id IS NOT NULL OR avinode_rfq_id IS NOT NULL OR primary_quote_id IS NOT NULL
        OR request_id IS NOT NULL OR avinode_ingest.rfq_id_in_rfp(avinode_rfp_id) IS NOT NULL;
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
COMMENT ON FUNCTION avinode_ingest.sessions_inserted() IS
    'Trigger: records sessions that are inserted with a trip id, an RFQ id, a request or a primary quote.';

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
    -- Values found on both sides are unchanged. Not a join: the plan is made for the first statement, usually of one row, and
    -- kept; for a later statement of many rows it would compare every row with every other.
    SELECT array_agg(id ORDER BY id) INTO changed
    FROM (
        SELECT id
        FROM (
            SELECT id, avinode_trip_id, avinode_rfq_id, avinode_ingest.rfq_id_in_rfp(avinode_rfp_id) AS rfq_id_in_rfp,
                request_id, primary_quote_id, status::text = 'active' AS is_active, false AS is_new
            FROM before
            UNION ALL
            SELECT id, avinode_trip_id, avinode_rfq_id, avinode_ingest.rfq_id_in_rfp(avinode_rfp_id),
                request_id, primary_quote_id, status::text = 'active', true
            FROM after
        ) AS both_sides
        GROUP BY id, avinode_trip_id, avinode_rfq_id, rfq_id_in_rfp, request_id, primary_quote_id, is_active
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
COMMENT ON FUNCTION avinode_ingest.sessions_updated() IS
    'Trigger: records sessions with another trip id, RFQ id, request, activity or primary quote than before.';

-- Inserts rematch jobs for the sessions of these requests that have no trip id of their own.
CREATE FUNCTION avinode_ingest.record_request_changes(changed uuid[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sessions uuid[];
BEGIN
    SELECT array_agg(session.id ORDER BY session.id) INTO sessions
    FROM public.chat_sessions AS session
    WHERE session.request_id = ANY (changed)
        -- Not IS NULL: see sessions_of_trips().
        AND coalesce(avinode_ingest.normal_trip_id(session.avinode_trip_id), '') = '';
    IF sessions IS NOT NULL THEN
        PERFORM avinode_ingest.record_session_changes(sessions, NULL, NULL);
        PERFORM pg_notify('avinode_ingest_jobs', '');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.record_request_changes(uuid[]) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.record_request_changes(uuid[]) IS
    'Inserts rematch jobs for the sessions of requests with another trip id.';

CREATE FUNCTION avinode_ingest.requests_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed uuid[];
BEGIN
    SELECT array_agg(id) INTO changed FROM written WHERE avinode_ingest.normal_trip_id(avinode_trip_id) IS NOT NULL;
    IF changed IS NOT NULL THEN
        PERFORM avinode_ingest.record_request_changes(changed);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read new requests; the resync will find their chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.requests_inserted() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.requests_inserted() IS
    'Trigger: records the sessions of requests that are inserted with a trip id.';

CREATE FUNCTION avinode_ingest.requests_updated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed uuid[];
BEGIN
    -- Not a join: see sessions_updated().
    SELECT array_agg(id) INTO changed
    FROM (
        SELECT id
        FROM (
            SELECT id, avinode_trip_id, false AS is_new FROM before
            UNION ALL
            SELECT id, avinode_trip_id, true FROM after
        ) AS both_sides
        GROUP BY id, avinode_trip_id
        HAVING count(*) = 1 AND bool_and(is_new)
    ) AS different;
    IF changed IS NOT NULL THEN
        PERFORM avinode_ingest.record_request_changes(changed);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read changed requests; the resync will find their chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.requests_updated() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.requests_updated() IS
    'Trigger: records the sessions of requests with another trip id than before.';

CREATE TRIGGER avinode_ingest_request_inserted
    AFTER INSERT ON public.requests
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.requests_inserted();

CREATE TRIGGER avinode_ingest_request_updated
    AFTER UPDATE ON public.requests
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION avinode_ingest.requests_updated();

-- The rows of a trip in `quotes` may belong to the request of a deleted session: the other sessions of its trip are rematched.
CREATE OR REPLACE FUNCTION avinode_ingest.sessions_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids uuid[];
    trips text[];
    sessions uuid[];
BEGIN
    SELECT array_agg(id) INTO ids FROM deleted;
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    BEGIN
        DELETE FROM avinode_ingest.timeline WHERE session_id = ANY (ids);
        DELETE FROM avinode_ingest.ledger WHERE session_id = ANY (ids);
        DELETE FROM avinode_ingest.session_state WHERE session_id = ANY (ids);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'avinode-ingest could not delete its records of deleted chat sessions: %', SQLERRM;
    END;
    SELECT array_agg(DISTINCT avinode_ingest.normal_trip_id(avinode_trip_id)) INTO trips
    FROM deleted
    WHERE request_id IS NOT NULL AND avinode_ingest.normal_trip_id(avinode_trip_id) IS NOT NULL;
    IF trips IS NOT NULL THEN
        trips := trips || ARRAY(
            SELECT alias.key
            FROM avinode_ingest.trips AS trip
            JOIN avinode_ingest.trips AS alias
                ON alias.key = coalesce(trip.merged_into, trip.key) OR alias.merged_into = coalesce(trip.merged_into, trip.key)
            WHERE trip.key = ANY (trips)
        );
        SELECT array_agg(DISTINCT found.session_id) INTO sessions FROM avinode_ingest.sessions_of_trips(trips) AS found;
        IF sessions IS NOT NULL THEN
            PERFORM avinode_ingest.record_session_changes(sessions, NULL, NULL);
            PERFORM pg_notify('avinode_ingest_jobs', '');
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read deleted chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION avinode_ingest.sessions_deleted() IS
    'Trigger: deletes the state, the ledger and the timeline of deleted sessions, and records the other sessions of their trips.';
