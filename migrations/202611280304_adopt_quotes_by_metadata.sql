-- no-transaction
-- Completes the first attach (0026): quotes that the application has counted and that are known by `metadata` alone enter the ledgers
-- without being counted again, and ids of RFQs and declines, which 0026 took for quotes, leave them. In small transactions: a reference
-- to a session makes the application's write to that session wait. After an interruption another run does the rest.
DO $$
DECLARE
    batch CONSTANT integer := 2000;
    first_n bigint;
    last_n bigint;
BEGIN
    DELETE FROM avinode_ingest.ledger
    WHERE NOT counted AND quote_id NOT LIKE 'row:%' AND NOT avinode_ingest.is_quote_id(quote_id);
    COMMIT;

    DROP TABLE IF EXISTS pg_temp.adopted_quotes;
    CREATE TEMPORARY TABLE adopted_quotes AS
    WITH by_metadata AS MATERIALIZED (
        SELECT id, request_id, avinode_ingest.row_quote_id(avinode_quote_id, metadata) AS quote_id
        FROM public.quotes
        WHERE metadata ->> 'avinode_quote_id' IS NOT NULL
          AND avinode_ingest.row_quote_id(avinode_quote_id, metadata) IS DISTINCT FROM avinode_ingest.btrim_all(avinode_quote_id)
          AND avinode_ingest.row_quote_id(avinode_quote_id, metadata) IS NOT NULL
    )
    SELECT row_number() OVER (ORDER BY found.session_id, found.quote_id) AS n, found.session_id, found.quote_id
    FROM (
        SELECT session.id AS session_id, quote.quote_id
        FROM public.chat_sessions AS session
        JOIN by_metadata AS quote ON quote.request_id = session.request_id
        UNION
        SELECT session.id, quote.quote_id
        FROM public.chat_sessions AS session
        JOIN by_metadata AS quote ON quote.id = session.primary_quote_id
        UNION
        -- Sessions without a request, but with the trip id of one.
        SELECT session.id, quote.quote_id
        FROM public.chat_sessions AS session
        JOIN public.requests AS request
            ON avinode_ingest.normal_trip_id(request.avinode_trip_id)
                = avinode_ingest.normal_trip_id(session.avinode_trip_id)
        JOIN by_metadata AS quote ON quote.request_id = request.id
        WHERE session.avinode_trip_id IS NOT NULL
    ) AS found;
    CREATE INDEX ON pg_temp.adopted_quotes (n);
    ANALYZE pg_temp.adopted_quotes;
    COMMIT;

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

    DROP TABLE pg_temp.adopted_quotes;
END
$$;
