-- The application reads quotes from Avinode as well, and upserts its rows by `avinode_quote_id`. The values of such an INSERT were stated
-- by Avinode: a newer statement replaces them. A value that only an UPDATE writes is from a person.
--
-- A BEFORE INSERT trigger sees the proposed row of INSERT … ON CONFLICT as well, whichever action follows.
--
-- No unique key: a writer would wait for the uncommitted key of another, and two that write the same quotes in different orders could
-- end in a deadlock. Two equal rows do no harm.
CREATE TABLE avinode_ingest.inserted_values (
    quote_id text NOT NULL,
    part text NOT NULL,
    value text NOT NULL
);
COMMENT ON TABLE avinode_ingest.inserted_values IS 'Values that the application inserted into public.quotes for quotes of Avinode''s.';
COMMENT ON COLUMN avinode_ingest.inserted_values.quote_id IS 'Avinode''s id of the quote.';
COMMENT ON COLUMN avinode_ingest.inserted_values.part IS 'Part of the quote, as in quote_facts.stated_values.';
COMMENT ON COLUMN avinode_ingest.inserted_values.value IS 'The value as text; a price is rounded to two digits.';
CREATE INDEX inserted_values_by_quote_id ON avinode_ingest.inserted_values (quote_id);

-- The values of a row of public.quotes, by part. Columns that the table lacks have none, nor has a value that is no price (NaN). A part
-- with a very long text is left out: the row keeps it.
CREATE FUNCTION avinode_ingest.values_of_row(quote jsonb) RETURNS TABLE (part text, value text)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT named.part,
        CASE
            WHEN named.part <> 'price' THEN named.value
            WHEN named.value ~ '^[0-9]{1,15}([.][0-9]{1,20})?$' THEN round(named.value::numeric, 2)::text
        END
    FROM (VALUES
        ('price', quote ->> 'base_price'),
        ('price', quote ->> 'total_price'),
        ('currency', quote ->> 'currency'),
        ('currency', quote #>> '{metadata,currency}'),
        ('operator', quote ->> 'operator_id'),
        ('operator', quote ->> 'operator_name'),
        ('aircraft', quote ->> 'aircraft_type'),
        ('aircraft', quote #>> '{aircraft_details,type}'),
        ('aircraft', quote #>> '{aircraft_details,model}'),
        ('tail', quote ->> 'aircraft_tail_number'),
        ('capacity', quote #>> '{aircraft_details,capacity}'),
        ('valid_until', quote ->> 'valid_until'),
        ('schedule', quote #>> '{schedule,departureTime}'),
        ('schedule', quote #>> '{schedule,arrivalTime}'),
        ('message', quote ->> 'message_content')
    ) AS named (part, value)
    WHERE named.value <> '' AND octet_length(named.value) <= 16384
$$;
REVOKE ALL ON FUNCTION avinode_ingest.values_of_row(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.values_of_row(jsonb) IS 'Values of a row of public.quotes by part of the quote; NULL for a price that is no number.';

CREATE FUNCTION avinode_ingest.record_inserted_values(quote jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO avinode_ingest.inserted_values (quote_id, part, value)
    SELECT id.quote_id, new.part, new.value
    FROM (SELECT avinode_ingest.row_quote_id(quote ->> 'avinode_quote_id', quote -> 'metadata') AS quote_id) AS id
    CROSS JOIN avinode_ingest.values_of_row(quote) AS new
    WHERE id.quote_id IS NOT NULL AND new.value IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM avinode_ingest.inserted_values AS known
            WHERE known.quote_id = id.quote_id AND known.part = new.part AND known.value = new.value
        )
        -- As many as are kept of Avinode's own statements.
        AND (
            SELECT count(*) FROM avinode_ingest.inserted_values AS known
            WHERE known.quote_id = id.quote_id AND known.part = new.part
        ) < 64
$$;
REVOKE ALL ON FUNCTION avinode_ingest.record_inserted_values(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.record_inserted_values(jsonb) IS 'Records the values of a row of public.quotes, given as an object by column.';

-- Per row: the proposed row of an upsert is in no transition table. It never fails the application's write.
CREATE FUNCTION avinode_ingest.quote_proposed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms'
AS $$
BEGIN
    BEGIN
        PERFORM avinode_ingest.record_inserted_values(to_jsonb(NEW));
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'avinode-ingest could not record the values of a quote: %', SQLERRM;
    END;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION avinode_ingest.quote_proposed() FROM PUBLIC;
COMMENT ON FUNCTION avinode_ingest.quote_proposed() IS 'Trigger: records the values that the application inserts for quotes of Avinode''s.';

CREATE OR REPLACE FUNCTION avinode_ingest.restore_triggers() RETURNS text[]
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing record;
    restored text[] := '{}';
BEGIN
    FOR missing IN
        SELECT needed.*
        FROM (VALUES
            ('chat_sessions', 'avinode_ingest_session_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS written', 'STATEMENT', 'sessions_inserted'),
            ('chat_sessions', 'avinode_ingest_session_updated', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS before NEW TABLE AS after', 'STATEMENT', 'sessions_updated'),
            ('chat_sessions', 'avinode_ingest_session_deleted', 'AFTER DELETE', 'REFERENCING OLD TABLE AS deleted', 'STATEMENT', 'sessions_deleted'),
            ('chat_sessions', 'avinode_ingest_sessions_truncated', 'AFTER TRUNCATE', '', 'STATEMENT', 'sessions_truncated'),
            ('requests', 'avinode_ingest_request_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS written', 'STATEMENT', 'requests_inserted'),
            ('requests', 'avinode_ingest_request_updated', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS before NEW TABLE AS after', 'STATEMENT', 'requests_updated'),
            -- The service's own transactions set the marker: for them not even the function is called.
            ('quotes', 'avinode_ingest_quote_proposed', 'BEFORE INSERT', '',
                'ROW WHEN (current_setting(''avinode_ingest.writer'', true) IS DISTINCT FROM ''on'')', 'quote_proposed')
        ) AS needed (table_name, trigger_name, event, transition, level, function_name)
        WHERE EXISTS (
              SELECT FROM pg_catalog.pg_class
              WHERE oid = to_regclass('public.' || needed.table_name) AND relkind IN ('r', 'p')
          )
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_trigger
              WHERE tgrelid = to_regclass('public.' || needed.table_name) AND tgname = needed.trigger_name
          )
    LOOP
        EXECUTE format('CREATE TRIGGER %I %s ON public.%I %s FOR EACH %s EXECUTE FUNCTION avinode_ingest.%I()',
                       missing.trigger_name, missing.event, missing.table_name, missing.transition, missing.level,
                       missing.function_name);
        restored := restored || missing.trigger_name;
    END LOOP;
    RETURN restored;
END
$$;

DO $$
BEGIN
    PERFORM avinode_ingest.restore_triggers();
END
$$;
