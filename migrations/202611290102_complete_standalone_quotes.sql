-- The displayed columns of quotes that the application has, in the table that was created for standalone use. An application's own
-- table is not changed: the service fills these columns where they exist.
DO $$
DECLARE
    missing record;
BEGIN
    IF coalesce(obj_description(to_regclass('public.quotes'), 'pg_class'), '') NOT LIKE '%created by avinode-ingest for standalone use.' THEN
        RETURN;
    END IF;
    FOR missing IN
        SELECT needed.*
        FROM (VALUES
            ('schedule', 'jsonb', 'Departure and arrival as the seller states them.'),
            ('message_content', 'text', 'Message of the seller to the broker.')
        ) AS needed (column_name, type, comment)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute
            WHERE attrelid = to_regclass('public.quotes') AND attname = needed.column_name AND attnum > 0 AND NOT attisdropped
        )
    LOOP
        EXECUTE format('ALTER TABLE public.quotes ADD COLUMN %I %s', missing.column_name, missing.type);
        EXECUTE format('COMMENT ON COLUMN public.quotes.%I IS %L', missing.column_name, missing.comment);
    END LOOP;
END
$$;
