-- Evidence for the agent to whom a trip belongs, where several agents claim it. An agent writes the own sessions and requests under
-- row-level security: trip ids, RFQ ids, references and times of creation prove nothing. The API, and the roles that row-level security
-- lets through (the service role, the owner of the tables), write for every agent: what they write is recorded as given. A session
-- loses it with the id: the recorded id is compared with the current one.
ALTER TABLE avinode_ingest.session_state
    ADD COLUMN IF NOT EXISTS given_trip text,
    ADD COLUMN IF NOT EXISTS given_at timestamptz,
    ADD COLUMN IF NOT EXISTS given_rfqs text[],
    ADD COLUMN IF NOT EXISTS withheld_trip text;
COMMENT ON COLUMN avinode_ingest.session_state.given_trip IS 'Trip id in normal form that the API or the service role gave to the session; empty if they removed it. Evidence while the session has it.';
COMMENT ON COLUMN avinode_ingest.session_state.given_at IS 'Time at which given_trip was recorded.';
COMMENT ON COLUMN avinode_ingest.session_state.given_rfqs IS 'RFQ ids in normal form that the API or the service role gave to the session.';
COMMENT ON COLUMN avinode_ingest.session_state.withheld_trip IS 'Key of a trip that the session names and that is another agent''s: the session has none of its facts.';

CREATE TABLE IF NOT EXISTS avinode_ingest.given_requests (
    request_id uuid PRIMARY KEY,
    trip_id text NOT NULL
);
COMMENT ON TABLE avinode_ingest.given_requests IS 'Trip ids that the service role gave to requests. Evidence while the request has the id.';
COMMENT ON COLUMN avinode_ingest.given_requests.request_id IS 'Request of the application. No foreign key: the application may delete it.';
COMMENT ON COLUMN avinode_ingest.given_requests.trip_id IS 'Trip id in normal form.';

-- `given`: objects with the session's id; `trip`, where it changed (empty: removed); and `rfqs`, the new ones, where they changed (none: removed).
CREATE OR REPLACE FUNCTION avinode_ingest.record_given_ids(given jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO avinode_ingest.session_state AS state (session_id, given_trip, given_at, given_rfqs)
    SELECT new.id, new.trip, CASE WHEN new.trip <> '' THEN clock_timestamp() END, new.rfqs
    FROM jsonb_to_recordset(given) AS new (id uuid, trip text, rfqs text[])
    ORDER BY new.id
    ON CONFLICT (session_id) DO UPDATE
    SET given_trip = coalesce(EXCLUDED.given_trip, state.given_trip),
        given_at = CASE
            WHEN coalesce(EXCLUDED.given_trip, state.given_trip) IS NOT DISTINCT FROM state.given_trip THEN state.given_at
            ELSE EXCLUDED.given_at
        END,
        given_rfqs = CASE
            WHEN EXCLUDED.given_rfqs IS NULL THEN state.given_rfqs
            WHEN EXCLUDED.given_rfqs = '{}' THEN NULL
            ELSE ARRAY(SELECT unnest(state.given_rfqs) UNION SELECT unnest(EXCLUDED.given_rfqs))
        END;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.record_given_ids(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.record_given_ids(jsonb) IS
    'Records trip ids and RFQ ids that a role gave to sessions which may write the sessions of every agent.';

-- Inserts rematch jobs for the sessions of other agents on these trips: a request of the agent names the trip from now on, or no longer.
CREATE OR REPLACE FUNCTION avinode_ingest.record_trip_claims(trip_ids text[], agents uuid[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sessions uuid[];
BEGIN
    SELECT array_agg(DISTINCT session.id) INTO sessions
    FROM (SELECT DISTINCT claim.id, claim.agent FROM unnest(trip_ids, agents) AS claim (id, agent)) AS claim
    LEFT JOIN LATERAL (
        SELECT coalesce(known.merged_into, known.key) AS key FROM avinode_ingest.trips AS known WHERE known.key = claim.id OFFSET 0
    ) AS trip ON true
    CROSS JOIN LATERAL avinode_ingest.sessions_of_trips(ARRAY[claim.id, trip.key] || ARRAY(
        SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = trip.key
    )) AS found
    CROSS JOIN LATERAL (
        SELECT id FROM public.chat_sessions WHERE id = found.session_id AND iso_agent_id IS DISTINCT FROM claim.agent OFFSET 0
    ) AS session;
    IF sessions IS NOT NULL THEN
        PERFORM avinode_ingest.record_session_changes(sessions, NULL, NULL);
        PERFORM pg_notify('avinode_ingest_jobs', '');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.record_trip_claims(text[], uuid[]) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.record_trip_claims(text[], uuid[]) IS
    'Inserts rematch jobs for the sessions that other agents have on trips which a request of the agent names, or named.';

-- The triggers as before (202611280406), and in addition the records above. A failure of these never keeps the rematch jobs from being
-- inserted: the trip then counts as not given.
CREATE OR REPLACE FUNCTION avinode_ingest.sessions_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids uuid[];
    pins boolean[];
    given jsonb;
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
        BEGIN
            IF avinode_ingest.caller_passes_row_security() THEN
                SELECT jsonb_agg(jsonb_build_object('id', added.id, 'trip', added.trip, 'rfqs', nullif(added.rfqs, '{}'))) INTO given
                FROM (
                    SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id) AS trip,
                        avinode_ingest.session_rfq_ids(avinode_rfq_id, avinode_rfp_id) AS rfqs
                    FROM written
                ) AS added
                WHERE added.trip IS NOT NULL OR added.rfqs <> '{}';
                IF given IS NOT NULL THEN
                    PERFORM avinode_ingest.record_given_ids(given);
                END IF;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'avinode-ingest could not record who gave chat sessions their trips: %', SQLERRM;
        END;
        -- Only a wake-up; Postgres sends equal notifications of one transaction once.
        PERFORM pg_notify('avinode_ingest_jobs', '');
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read new chat sessions; the resync will find them: %', SQLERRM;
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
    given jsonb;
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
                request_id, primary_quote_id, iso_agent_id, status::text = 'active' AS is_active, false AS is_new
            FROM before
            UNION ALL
            SELECT id, avinode_trip_id, avinode_rfq_id, avinode_ingest.rfq_id_in_rfp(avinode_rfp_id),
                request_id, primary_quote_id, iso_agent_id, status::text = 'active', true
            FROM after
        ) AS both_sides
        GROUP BY id, avinode_trip_id, avinode_rfq_id, rfq_id_in_rfp, request_id, primary_quote_id, iso_agent_id, is_active
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
    BEGIN
        IF avinode_ingest.caller_passes_row_security() THEN
            -- An id that was there before was not given by this statement.
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'id', pair.id,
                'trip', CASE WHEN pair.old_trip IS DISTINCT FROM pair.new_trip THEN coalesce(pair.new_trip, '') END,
                'rfqs', CASE
                    WHEN pair.new_rfqs = '{}' AND pair.old_rfqs <> '{}' THEN '[]'::jsonb
                    WHEN NOT pair.new_rfqs <@ pair.old_rfqs THEN to_jsonb(ARRAY(
                        SELECT rfq FROM unnest(pair.new_rfqs) AS rfq WHERE rfq <> ALL (pair.old_rfqs)
                    ))
                END
            ))) INTO given
            FROM (
                SELECT id, min(trip) FILTER (WHERE NOT is_new) AS old_trip, min(trip) FILTER (WHERE is_new) AS new_trip,
                    coalesce(string_to_array(min(rfqs) FILTER (WHERE NOT is_new), E'\n'), '{}') AS old_rfqs,
                    coalesce(string_to_array(min(rfqs) FILTER (WHERE is_new), E'\n'), '{}') AS new_rfqs
                FROM (
                    SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id) AS trip,
                        nullif(array_to_string(avinode_ingest.session_rfq_ids(avinode_rfq_id, avinode_rfp_id), E'\n'), '') AS rfqs,
                        false AS is_new
                    FROM before
                    UNION ALL
                    SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id),
                        nullif(array_to_string(avinode_ingest.session_rfq_ids(avinode_rfq_id, avinode_rfp_id), E'\n'), ''), true
                    FROM after
                ) AS both_sides
                GROUP BY id
                -- A changed primary key has no row before: its session is not known.
                HAVING count(*) = 2
            ) AS pair
            WHERE pair.old_trip IS DISTINCT FROM pair.new_trip OR pair.old_rfqs IS DISTINCT FROM pair.new_rfqs;
            IF given IS NOT NULL THEN
                PERFORM avinode_ingest.record_given_ids(given);
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'avinode-ingest could not record who gave chat sessions their trips: %', SQLERRM;
    END;
    PERFORM pg_notify('avinode_ingest_jobs', '');
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read changed chat sessions; the resync will find them: %', SQLERRM;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION avinode_ingest.sessions_updated() IS
    'Trigger: records sessions with another trip id, RFQ id, request, agent, activity or primary quote than before.';

CREATE OR REPLACE FUNCTION avinode_ingest.requests_inserted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed uuid[];
    trips text[];
    agents uuid[];
BEGIN
    SELECT array_agg(added.id ORDER BY added.id), array_agg(added.trip ORDER BY added.id), array_agg(added.agent ORDER BY added.id)
    INTO changed, trips, agents
    FROM (SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id) AS trip, iso_agent_id AS agent FROM written) AS added
    WHERE added.trip IS NOT NULL;
    IF changed IS NOT NULL THEN
        PERFORM avinode_ingest.record_request_changes(changed);
        BEGIN
            IF avinode_ingest.caller_passes_row_security() THEN
                INSERT INTO avinode_ingest.given_requests (request_id, trip_id)
                SELECT added.id, added.trip FROM unnest(changed, trips) AS added (id, trip)
                ON CONFLICT (request_id) DO UPDATE SET trip_id = EXCLUDED.trip_id;
            END IF;
            PERFORM avinode_ingest.record_trip_claims(trips, agents);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'avinode-ingest could not record who gave requests their trips: %', SQLERRM;
        END;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read new requests; the resync will find their chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION avinode_ingest.requests_updated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed uuid[];
    trips text[];
    agents uuid[];
BEGIN
    -- Not a join: see sessions_updated().
    SELECT array_agg(id) INTO changed
    FROM (
        SELECT id
        FROM (
            SELECT id, avinode_trip_id, iso_agent_id, false AS is_new FROM before
            UNION ALL
            SELECT id, avinode_trip_id, iso_agent_id, true FROM after
        ) AS both_sides
        GROUP BY id, avinode_trip_id, iso_agent_id
        HAVING count(*) = 1 AND bool_and(is_new)
    ) AS different;
    IF changed IS NOT NULL THEN
        PERFORM avinode_ingest.record_request_changes(changed);
        BEGIN
            IF avinode_ingest.caller_passes_row_security() THEN
                WITH pair AS MATERIALIZED (
                    SELECT id, min(trip) FILTER (WHERE NOT is_new) AS old_trip, min(trip) FILTER (WHERE is_new) AS new_trip
                    FROM (
                        SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id) AS trip, false AS is_new FROM before
                        UNION ALL
                        SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id), true FROM after
                    ) AS both_sides
                    GROUP BY id
                    HAVING count(*) = 2
                ), taken AS (
                    DELETE FROM avinode_ingest.given_requests
                    WHERE request_id = ANY (ARRAY(SELECT id FROM pair WHERE old_trip IS NOT NULL AND new_trip IS NULL))
                )
                INSERT INTO avinode_ingest.given_requests (request_id, trip_id)
                SELECT id, new_trip FROM pair WHERE old_trip IS DISTINCT FROM new_trip AND new_trip IS NOT NULL
                ON CONFLICT (request_id) DO UPDATE SET trip_id = EXCLUDED.trip_id;
            END IF;
            SELECT array_agg(trip ORDER BY place), array_agg(agent ORDER BY place) INTO trips, agents
            FROM (
                SELECT row_number() OVER () AS place, side.trip, side.agent
                FROM (
                    SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id) AS trip, iso_agent_id AS agent FROM before
                    UNION
                    SELECT id, avinode_ingest.normal_trip_id(avinode_trip_id), iso_agent_id FROM after
                ) AS side
                WHERE side.trip IS NOT NULL AND side.id = ANY (changed)
            ) AS claim;
            IF trips IS NOT NULL THEN
                PERFORM avinode_ingest.record_trip_claims(trips, agents);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'avinode-ingest could not record who gave requests their trips: %', SQLERRM;
        END;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'avinode-ingest could not read changed requests; the resync will find their chat sessions: %', SQLERRM;
    RETURN NULL;
END
$$;

-- A session has the trip of its request only if the request is the session's agent's, or no agent's: the reference is the agent's
-- to write.
CREATE OR REPLACE FUNCTION avinode_ingest.ids_of_sessions(sessions uuid[])
    RETURNS TABLE (session_id uuid, trip_id text, rfq_ids text[])
    LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT session.id,
        avinode_ingest.session_trip_id(
            session.avinode_trip_id,
            (
                SELECT request.avinode_trip_id
                FROM public.requests AS request
                WHERE request.id = session.request_id
                    AND coalesce(request.iso_agent_id, session.iso_agent_id) = session.iso_agent_id
            )
        ),
        avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id)
    FROM public.chat_sessions AS session
    WHERE session.id = ANY (sessions);
END
$$;

CREATE OR REPLACE FUNCTION avinode_ingest.sessions_of_trips(trip_ids text[])
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
        SELECT found.id, found.trip, found.rfqs
        FROM (
            SELECT session.id,
                (
                    SELECT avinode_ingest.normal_trip_id(request.avinode_trip_id)
                    FROM public.requests AS request
                    WHERE request.id = session.request_id
                        AND coalesce(request.iso_agent_id, session.iso_agent_id) = session.iso_agent_id
                ) AS trip,
                avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id) AS rfqs
            FROM public.chat_sessions AS session
            WHERE session.request_id = ANY (requests)
                AND coalesce(avinode_ingest.normal_trip_id(session.avinode_trip_id), '') = ''
        ) AS found
        WHERE found.trip IS NOT NULL;
    END IF;
END
$$;
