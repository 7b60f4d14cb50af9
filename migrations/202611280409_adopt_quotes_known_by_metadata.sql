-- no-transaction
-- First attach, continued: rows of `quotes` that older code of the application wrote have Avinode's id in their metadata only. They
-- enter the ledgers as the rows of 0026 did, without being counted again, and in small transactions for the same reason.
DO $$
DECLARE
    batch CONSTANT integer := 2000;
    first_n bigint := 1;
    last_n bigint;
BEGIN
    DROP TABLE IF EXISTS pg_temp.adopted_quotes;

    CREATE TEMPORARY TABLE adopted_quotes AS
    WITH quote AS MATERIALIZED (
        SELECT id, request_id, avinode_ingest.btrim_all(metadata ->> 'avinode_quote_id') AS quote_id
        FROM public.quotes
        WHERE coalesce(avinode_ingest.btrim_all(avinode_quote_id), '') = '' AND metadata ->> 'avinode_quote_id' IS NOT NULL
    )
    SELECT row_number() OVER (ORDER BY found.session_id, found.quote_id) AS n, found.session_id, found.quote_id
    FROM (
        SELECT session.id AS session_id, quote.quote_id
        FROM public.chat_sessions AS session
        JOIN quote ON quote.request_id = session.request_id
        UNION
        SELECT session.id, quote.quote_id
        FROM public.chat_sessions AS session
        JOIN quote ON quote.id = session.primary_quote_id
        UNION
        SELECT session.id, quote.quote_id
        FROM public.chat_sessions AS session
        JOIN public.requests AS request
            ON avinode_ingest.normal_trip_id(request.avinode_trip_id)
                = avinode_ingest.normal_trip_id(session.avinode_trip_id)
        JOIN quote ON quote.request_id = request.id
    ) AS found
    WHERE found.quote_id <> '' AND octet_length(found.quote_id) <= 200;

    CREATE INDEX ON pg_temp.adopted_quotes (n);
    ANALYZE pg_temp.adopted_quotes;
    COMMIT;

    SELECT coalesce(max(n), 0) INTO last_n FROM pg_temp.adopted_quotes;
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
