-- no-transaction
-- First attach: enters quotes that the application has already counted into the ledgers without counting them again, and pins
-- primary quotes that are already set. The triggers exist, so writes made during this file are recorded as well.
--
-- The work is looked up once, with hash joins (an application may lack an index on quotes.request_id), and written in small
-- transactions: an uncommitted row of session_state, or reference to a session, makes the application's write to that session
-- wait. After an interruption another run does the rest.
DO $$
DECLARE
    batch CONSTANT integer := 2000;
    first_n bigint;
    last_n bigint;
BEGIN
    DROP TABLE IF EXISTS pg_temp.adopted_sessions, pg_temp.adopted_quotes;

    CREATE TEMPORARY TABLE adopted_sessions AS
    SELECT row_number() OVER (ORDER BY session.id) AS n, session.id AS session_id
    FROM public.chat_sessions AS session
    WHERE session.primary_quote_id IS NOT NULL OR session.avinode_trip_id IS NOT NULL;

    CREATE TEMPORARY TABLE adopted_quotes AS
    SELECT row_number() OVER (ORDER BY found.session_id, found.quote_id) AS n, found.session_id, found.quote_id
    FROM (
        SELECT session.id AS session_id, avinode_ingest.btrim_all(quote.avinode_quote_id) AS quote_id
        FROM public.chat_sessions AS session
        JOIN public.quotes AS quote ON quote.request_id = session.request_id
        UNION
        SELECT session.id, avinode_ingest.btrim_all(quote.avinode_quote_id)
        FROM public.chat_sessions AS session
        JOIN public.quotes AS quote ON quote.id = session.primary_quote_id
        UNION
        -- Sessions without a request, but with the trip id of one.
        SELECT session.id, avinode_ingest.btrim_all(quote.avinode_quote_id)
        FROM public.chat_sessions AS session
        JOIN public.requests AS request
            ON avinode_ingest.normal_trip_id(request.avinode_trip_id)
                = avinode_ingest.normal_trip_id(session.avinode_trip_id)
        JOIN public.quotes AS quote ON quote.request_id = request.id
        WHERE session.avinode_trip_id IS NOT NULL
    ) AS found
    -- MAX_ID_BYTES: a longer text is no id, and a text too long for the ledger's key would stop the migration.
    WHERE found.quote_id <> '' AND octet_length(found.quote_id) <= 200;

    CREATE INDEX ON pg_temp.adopted_sessions (n);
    CREATE INDEX ON pg_temp.adopted_quotes (n);
    ANALYZE pg_temp.adopted_sessions;
    ANALYZE pg_temp.adopted_quotes;
    COMMIT;

    SELECT coalesce(max(n), 0) INTO last_n FROM pg_temp.adopted_sessions;
    first_n := 1;
    WHILE first_n <= last_n LOOP
        -- Skips sessions that have been deleted since, and waits for those that are being deleted.
        INSERT INTO avinode_ingest.session_state (session_id, pinned, matched_trip)
        SELECT session.id, session.primary_quote_id IS NOT NULL, avinode_ingest.normal_trip_id(session.avinode_trip_id)
        FROM pg_temp.adopted_sessions AS adopted
        JOIN public.chat_sessions AS session ON session.id = adopted.session_id
        WHERE adopted.n BETWEEN first_n AND first_n + batch - 1
        ORDER BY adopted.n
        FOR KEY SHARE OF session
        ON CONFLICT (session_id) DO NOTHING;
        COMMIT;
        first_n := first_n + batch;
    END LOOP;

    SELECT coalesce(max(n), 0) INTO last_n FROM pg_temp.adopted_quotes;
    first_n := 1;
    WHILE first_n <= last_n LOOP
        INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
        SELECT adopted.session_id, adopted.quote_id, false
        FROM pg_temp.adopted_quotes AS adopted
        JOIN public.chat_sessions AS session ON session.id = adopted.session_id
        WHERE adopted.n BETWEEN first_n AND first_n + batch - 1
        ORDER BY adopted.n
        FOR KEY SHARE OF session
        ON CONFLICT (session_id, quote_id) DO NOTHING;
        COMMIT;
        first_n := first_n + batch;
    END LOOP;

    DROP TABLE pg_temp.adopted_sessions, pg_temp.adopted_quotes;
END
$$;
