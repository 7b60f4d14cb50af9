-- no-transaction
-- Sessions that are found by the trip id of their request, or by an RFQ id in avinode_rfp_id, from now on. Those with known facts
-- are rematched; the others are recorded as matched, so that the resync does not find all of them.
DO $$
DECLARE
    batch CONSTANT integer := 2000;
    first_n bigint := 1;
    last_n bigint;
BEGIN
    DROP TABLE IF EXISTS pg_temp.found_sessions;

    CREATE TEMPORARY TABLE found_sessions AS
    SELECT row_number() OVER (ORDER BY found.session_id) AS n, found.*
    FROM (
        SELECT session.id AS session_id,
            avinode_ingest.session_trip_id(session.avinode_trip_id, request.avinode_trip_id) AS trip_id,
            avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id) AS rfq_ids
        FROM public.chat_sessions AS session
        LEFT JOIN public.requests AS request ON request.id = session.request_id
        WHERE avinode_ingest.normal_trip_id(session.avinode_trip_id) IS NULL
                AND avinode_ingest.normal_trip_id(request.avinode_trip_id) IS NOT NULL
            OR avinode_ingest.rfq_id_in_rfp(session.avinode_rfp_id) IS NOT NULL
    ) AS found;

    CREATE INDEX ON pg_temp.found_sessions (n);
    ANALYZE pg_temp.found_sessions;
    COMMIT;

    SELECT coalesce(max(n), 0) INTO last_n FROM pg_temp.found_sessions;
    WHILE first_n <= last_n LOOP
        WITH found AS MATERIALIZED (
            SELECT found.*,
                EXISTS (SELECT FROM avinode_ingest.trips AS trip WHERE trip.key = found.trip_id)
                    OR EXISTS (
                        SELECT FROM avinode_ingest.rfqs AS rfq
                        WHERE avinode_ingest.normal_rfq_id(rfq.rfq_id) = ANY (found.rfq_ids)
                    ) AS is_known
            FROM pg_temp.found_sessions AS found
            WHERE found.n BETWEEN first_n AND first_n + batch - 1
        ), rematched AS (
            INSERT INTO avinode_ingest.jobs (kind, key)
            SELECT 'rematch', session_id::text FROM found WHERE is_known ORDER BY n
        )
        INSERT INTO avinode_ingest.session_state (session_id, matched_trip, matched_rfq)
        SELECT found.session_id, found.trip_id, nullif(array_to_string(found.rfq_ids, ' '), '')
        FROM found
        JOIN public.chat_sessions AS session ON session.id = found.session_id
        WHERE NOT found.is_known
        ORDER BY found.n
        FOR KEY SHARE OF session
        ON CONFLICT (session_id) DO UPDATE
        SET matched_trip = EXCLUDED.matched_trip, matched_rfq = EXCLUDED.matched_rfq;
        COMMIT;
        first_n := first_n + batch;
    END LOOP;

    DROP TABLE pg_temp.found_sessions;
END
$$;
