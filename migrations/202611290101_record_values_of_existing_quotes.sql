-- no-transaction
-- Rows with an Avinode quote id that the application wrote, and in which the service has projected nothing yet, have values that Avinode
-- stated: the first newer statement replaces them. In small transactions; after an interruption another run does the rest.
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
