-- no-transaction
-- Fills quote_facts.projected_request_id for rows that exist, in small transactions: a worker of an older program that waits for a
-- fact gives up after 300 ms. After an interruption another run does the rest.
DO $$
DECLARE
    batch CONSTANT integer := 2000;
    last_trip text := '';
    last_quote text := '';
    read_rows bigint;
BEGIN
    LOOP
        WITH chosen AS MATERIALIZED (
            SELECT fact.trip_key, fact.quote_id, fact.projected_id
            FROM avinode_ingest.quote_facts AS fact
            WHERE (fact.trip_key, fact.quote_id) > (last_trip, last_quote)
            ORDER BY fact.trip_key, fact.quote_id
            LIMIT batch
        ), filled AS (
            UPDATE avinode_ingest.quote_facts AS fact
            SET projected_request_id = quote.request_id
            FROM chosen
            JOIN public.quotes AS quote ON quote.id = chosen.projected_id
            WHERE fact.trip_key = chosen.trip_key AND fact.quote_id = chosen.quote_id
                AND fact.projected_id = quote.id AND fact.projected_request_id IS NULL
        ), last_chosen AS (
            SELECT trip_key, quote_id FROM chosen ORDER BY trip_key DESC, quote_id DESC LIMIT 1
        )
        SELECT count(*), coalesce((SELECT trip_key FROM last_chosen), ''), coalesce((SELECT quote_id FROM last_chosen), '')
        INTO read_rows, last_trip, last_quote
        FROM chosen;
        COMMIT;
        EXIT WHEN read_rows < batch;
    END LOOP;
END
$$;
