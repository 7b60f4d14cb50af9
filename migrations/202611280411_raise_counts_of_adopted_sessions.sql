-- no-transaction
-- First attach, continued: an application that never counted has 0 or NULL in quotes_received_count beside existing quotes, which
-- 0026 entered into the ledgers without counting them. The count becomes the number of quotes known for the session, unless it is
-- higher. RFQ ids and `decline-…`, which older code of the application stored as quote ids, are no quotes.
--
-- Each session is raised once: see raised_counts. Sessions that the application has locked are skipped, and then waited for one at
-- a time, without holding any other: a lock on several sessions could make the application a deadlock victim.
DO $$
DECLARE
    batch integer := 500;
    raised bigint;
BEGIN
    DROP TABLE IF EXISTS pg_temp.known_quotes;

    CREATE TEMPORARY TABLE known_quotes AS
    SELECT entry.session_id, count(*)::integer AS quotes
    FROM avinode_ingest.ledger AS entry
    WHERE lower(entry.quote_id) NOT LIKE 'arfq-%' AND lower(entry.quote_id) NOT LIKE 'decline-%'
        AND NOT EXISTS (SELECT FROM avinode_ingest.raised_counts AS done WHERE done.session_id = entry.session_id)
    GROUP BY entry.session_id;

    DELETE FROM pg_temp.known_quotes AS known
    WHERE NOT EXISTS (
        SELECT FROM public.chat_sessions AS session
        WHERE session.id = known.session_id AND coalesce(session.quotes_received_count, 0) < known.quotes
    );
    ANALYZE pg_temp.known_quotes;
    COMMIT;

    WHILE EXISTS (SELECT FROM pg_temp.known_quotes) LOOP
        WITH locked AS MATERIALIZED (
            SELECT session.id, session.quotes_received_count AS count_before, known.quotes
            FROM pg_temp.known_quotes AS known
            JOIN public.chat_sessions AS session ON session.id = known.session_id
            ORDER BY session.id
            LIMIT batch
            FOR NO KEY UPDATE OF session SKIP LOCKED
        ), taken AS (
            DELETE FROM pg_temp.known_quotes AS known USING locked WHERE known.session_id = locked.id
        ), recorded AS (
            INSERT INTO avinode_ingest.raised_counts (session_id, count_before, known_quotes)
            SELECT id, count_before, quotes FROM locked WHERE coalesce(count_before, 0) < quotes
            ON CONFLICT DO NOTHING
        )
        UPDATE public.chat_sessions AS session
        SET quotes_received_count = greatest(session.quotes_received_count, locked.quotes)
        FROM locked
        WHERE session.id = locked.id AND coalesce(locked.count_before, 0) < locked.quotes;
        GET DIAGNOSTICS raised = ROW_COUNT;
        COMMIT;
        IF raised = 0 THEN
            -- Forgets deleted sessions, and waits for one that is locked.
            DELETE FROM pg_temp.known_quotes AS known
            WHERE NOT EXISTS (SELECT FROM public.chat_sessions AS session WHERE session.id = known.session_id);
            PERFORM FROM public.chat_sessions AS session
            WHERE session.id = (SELECT session_id FROM pg_temp.known_quotes ORDER BY session_id LIMIT 1)
            FOR NO KEY UPDATE;
            COMMIT;
        END IF;
    END LOOP;

    DROP TABLE pg_temp.known_quotes;
END
$$;
