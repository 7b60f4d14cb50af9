-- no-transaction
-- Rows of the application's with an id of Avinode's, in which the service has projected nothing yet, show what Avinode told the
-- application: the first newer statement replaces it. In small transactions; after an interruption another run does the rest.
DO $$
DECLARE
    batch CONSTANT integer := 1000;
    last_id uuid;
    ids uuid[];
BEGIN
    LOOP
        ids := ARRAY(SELECT id FROM public.quotes WHERE last_id IS NULL OR id > last_id ORDER BY id LIMIT batch);
        EXIT WHEN cardinality(ids) = 0;
        PERFORM avinode_ingest.record_inserted_values(to_jsonb(quote))
        FROM public.quotes AS quote
        WHERE quote.id = ANY (ids)
            AND avinode_ingest.row_quote_id(quote.avinode_quote_id, quote.metadata) IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM avinode_ingest.quote_facts AS fact
                WHERE fact.quote_id = avinode_ingest.row_quote_id(quote.avinode_quote_id, quote.metadata)
                    AND fact.projected_id IS NOT NULL
            );
        COMMIT;
        last_id := ids[cardinality(ids)];
    END LOOP;
END
$$;
