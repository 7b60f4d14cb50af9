-- Inserts rows of public.quotes by the list of their columns: it is built once per list, and no longer for each row. Most rows of a
-- batch have the same columns.
CREATE FUNCTION avinode_ingest.insert_quotes_alike(lists jsonb) RETURNS SETOF uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    alike jsonb;
    columns text;
BEGIN
    FOR alike IN SELECT jsonb_array_elements(lists) LOOP
        SELECT string_agg(quote_ident(name), ', ' ORDER BY name) INTO columns
        FROM jsonb_object_keys(alike -> 0) AS name
        JOIN pg_catalog.pg_attribute AS existing
            ON existing.attrelid = 'public.quotes'::regclass AND existing.attname = name AND existing.attnum > 0
            AND NOT existing.attisdropped;
        RETURN QUERY EXECUTE format(
            'INSERT INTO public.quotes (%s) SELECT %s FROM jsonb_populate_recordset(NULL::public.quotes, $1) RETURNING id',
            columns, columns
        ) USING alike;
    END LOOP;
END
$$;
COMMENT ON FUNCTION avinode_ingest.insert_quotes_alike(jsonb) IS
    'Inserts rows of public.quotes, given as lists of objects with the same columns; returns their ids.';
