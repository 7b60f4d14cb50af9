-- The ids by which a session is found: its own trip id, else that of its request; its RFQ id, and an RFQ id that the application
-- stored in avinode_rfp_id. All SQL that finds the trip or the RFQs of a session uses these functions.
--
-- The functions that read tables have their bodies as text: a parsed body, like a view, would make the application's DROP TABLE
-- fail. They are PL/pgSQL, which keeps its plans, and look rows up in separate steps: without statistics of the expressions the
-- planner would join whole tables. A missing trip id is compared as an empty text, because for IS NULL the planner would read the
-- entries of all sessions without one from the index.

CREATE FUNCTION avinode_ingest.rfq_id_in_rfp(rfp_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN avinode_ingest.normal_rfq_id(rfp_id) LIKE 'arfq-_%' THEN avinode_ingest.normal_rfq_id(rfp_id)
    END;
COMMENT ON FUNCTION avinode_ingest.rfq_id_in_rfp(text) IS
    'RFQ id in normal form, if the text in a column for RFP ids is one; else NULL.';

CREATE FUNCTION avinode_ingest.session_trip_id(own text, of_request text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(avinode_ingest.normal_trip_id(own), avinode_ingest.normal_trip_id(of_request));
COMMENT ON FUNCTION avinode_ingest.session_trip_id(text, text) IS
    'Trip id of a session in normal form: its own, else that of its request; NULL if neither is an id.';

CREATE FUNCTION avinode_ingest.session_rfq_ids(rfq_id text, rfp_id text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN avinode_ingest.normal_rfq_id(rfq_id) = avinode_ingest.rfq_id_in_rfp(rfp_id)
            THEN ARRAY[avinode_ingest.normal_rfq_id(rfq_id)]
        ELSE array_remove(ARRAY[avinode_ingest.normal_rfq_id(rfq_id), avinode_ingest.rfq_id_in_rfp(rfp_id)], NULL)
    END;
COMMENT ON FUNCTION avinode_ingest.session_rfq_ids(text, text) IS
    'RFQ ids that a session holds, in normal form, from avinode_rfq_id and avinode_rfp_id; empty if it holds none.';

CREATE FUNCTION avinode_ingest.ids_of_sessions(sessions uuid[])
    RETURNS TABLE (session_id uuid, trip_id text, rfq_ids text[])
    LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT session.id,
        avinode_ingest.session_trip_id(
            session.avinode_trip_id,
            (SELECT request.avinode_trip_id FROM public.requests AS request WHERE request.id = session.request_id)
        ),
        avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id)
    FROM public.chat_sessions AS session
    WHERE session.id = ANY (sessions);
END
$$;
COMMENT ON FUNCTION avinode_ingest.ids_of_sessions(uuid[]) IS 'Trip id and RFQ ids of these sessions, in normal form.';

CREATE FUNCTION avinode_ingest.sessions_of_trips(trip_ids text[])
    RETURNS TABLE (session_id uuid, trip_id text, rfq_ids text[])
    LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    requests uuid[];
BEGIN
    RETURN QUERY
    SELECT session.id, avinode_ingest.normal_trip_id(session.avinode_trip_id),
        avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id)
    FROM public.chat_sessions AS session
    WHERE avinode_ingest.normal_trip_id(session.avinode_trip_id) = ANY (trip_ids);

    SELECT array_agg(request.id) INTO requests
    FROM public.requests AS request
    WHERE avinode_ingest.normal_trip_id(request.avinode_trip_id) = ANY (trip_ids);
    IF requests IS NOT NULL THEN
        RETURN QUERY
        SELECT session.id,
            (
                SELECT avinode_ingest.normal_trip_id(request.avinode_trip_id)
                FROM public.requests AS request
                WHERE request.id = session.request_id
            ),
            avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id)
        FROM public.chat_sessions AS session
        WHERE session.request_id = ANY (requests)
            AND coalesce(avinode_ingest.normal_trip_id(session.avinode_trip_id), '') = '';
    END IF;
END
$$;
COMMENT ON FUNCTION avinode_ingest.sessions_of_trips(text[]) IS
    'Sessions with one of these trip ids (in normal form), with that id and their RFQ ids.';

CREATE FUNCTION avinode_ingest.sessions_of_rfqs(rfqs text[])
    RETURNS TABLE (session_id uuid, trip_id text, rfq_ids text[])
    LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sessions uuid[];
BEGIN
    SELECT array_agg(found.id) INTO sessions
    FROM (
        SELECT session.id
        FROM public.chat_sessions AS session
        WHERE avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = ANY (rfqs)
        UNION
        SELECT session.id
        FROM public.chat_sessions AS session
        WHERE avinode_ingest.rfq_id_in_rfp(session.avinode_rfp_id) = ANY (rfqs)
    ) AS found;
    IF sessions IS NOT NULL THEN
        RETURN QUERY SELECT * FROM avinode_ingest.ids_of_sessions(sessions);
    END IF;
END
$$;
COMMENT ON FUNCTION avinode_ingest.sessions_of_rfqs(text[]) IS
    'Sessions that hold one of these RFQs (in normal form), with their trip id and all their RFQ ids.';

-- A session and the trip id of its request may be written by two transactions that do not see each other. The rematch of the
-- session then waits for the one that writes the request. Locking a row needs UPDATE: for a role without it the resync finds
-- such a session.
CREATE FUNCTION avinode_ingest.lock_requests_of(sessions uuid[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    requests uuid[];
BEGIN
    IF NOT has_table_privilege('public.requests', 'UPDATE') THEN
        RETURN;
    END IF;
    SELECT array_agg(session.request_id) INTO requests
    FROM public.chat_sessions AS session
    WHERE session.id = ANY (sessions) AND coalesce(avinode_ingest.normal_trip_id(session.avinode_trip_id), '') = ''
        AND session.request_id IS NOT NULL;
    IF requests IS NOT NULL THEN
        PERFORM FROM public.requests AS request WHERE request.id = ANY (requests) ORDER BY request.id FOR SHARE NOWAIT;
    END IF;
END
$$;
COMMENT ON FUNCTION avinode_ingest.lock_requests_of(uuid[]) IS
    'Locks the requests of sessions without a trip id of their own against changes, until the end of the transaction.';

GRANT EXECUTE ON FUNCTION avinode_ingest.rfq_id_in_rfp(text) TO PUBLIC;
