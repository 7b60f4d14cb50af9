-- What Avinode stated about a quote, beside its newest fact: a row of the application's with such a value shows Avinode's value,
-- and not one that a person chose.
ALTER TABLE avinode_ingest.quote_facts
    ADD COLUMN stated_values jsonb,
    ADD COLUMN description jsonb,
    ADD COLUMN projected_request_id uuid;
COMMENT ON COLUMN avinode_ingest.quote_facts.stated_values IS 'Every value that Avinode stated, by part, bounded; NULL if the columns and the description hold them all.';
COMMENT ON COLUMN avinode_ingest.quote_facts.description IS 'Parts that are only displayed: model and capacity of the aircraft, schedule, message, contact person; NULL if there are none.';
COMMENT ON COLUMN avinode_ingest.quote_facts.projected_request_id IS 'Request of the projected row. If both are gone, the quote may be projected again under another request.';
COMMENT ON COLUMN avinode_ingest.quote_facts.projected_values IS 'Values written to that row last, by column.';

-- The application's table may lack columns that the service fills where they exist, so the columns are chosen at run time.
-- SECURITY INVOKER: the caller needs its own privileges on the table.

-- Inserts rows of public.quotes, given as a list of objects by column: one statement for all rows with the same columns. Columns that
-- the table lacks are left out, and columns that a row lacks have their defaults.
CREATE FUNCTION avinode_ingest.insert_quotes(quotes jsonb) RETURNS SETOF uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    existing name[] := ARRAY(
        SELECT attname FROM pg_catalog.pg_attribute
        WHERE attrelid = 'public.quotes'::regclass AND attnum > 0 AND NOT attisdropped
    );
    columns text;
    alike jsonb;
BEGIN
    FOR columns, alike IN
        SELECT names.list, jsonb_agg(quote.by_column ORDER BY quote.number)
        FROM jsonb_array_elements(quotes) WITH ORDINALITY AS quote (by_column, number)
        CROSS JOIN LATERAL (
            SELECT string_agg(quote_ident(name), ', ' ORDER BY name) AS list
            FROM jsonb_object_keys(quote.by_column) AS name
            WHERE name = ANY (existing)
        ) AS names
        GROUP BY names.list
        ORDER BY min(quote.number)
    LOOP
        RETURN QUERY EXECUTE format(
            'INSERT INTO public.quotes (%s) SELECT %s FROM jsonb_populate_recordset(NULL::public.quotes, $1) RETURNING id',
            columns, columns
        ) USING alike;
    END LOOP;
END
$$;
COMMENT ON FUNCTION avinode_ingest.insert_quotes(jsonb) IS 'Inserts rows of public.quotes, given as objects by column; returns their ids.';

-- Updates rows of public.quotes, given as a list of {"id": …, "values": {column: value}}.
CREATE FUNCTION avinode_ingest.update_quotes(changes jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    change jsonb;
    assignments text;
BEGIN
    FOR change IN SELECT jsonb_array_elements(changes) LOOP
        SELECT string_agg(format('%1$I = new.%1$I', name), ', ') INTO assignments
        FROM jsonb_object_keys(change -> 'values') AS name;
        EXECUTE format(
            'UPDATE public.quotes AS quote SET %s FROM jsonb_populate_record(NULL::public.quotes, $2) AS new WHERE quote.id = $1',
            assignments
        ) USING (change ->> 'id')::uuid, change -> 'values';
    END LOOP;
END
$$;
COMMENT ON FUNCTION avinode_ingest.update_quotes(jsonb) IS 'Updates columns of rows of public.quotes, given as objects with an id and values by column.';
