-- The columns of the application's tables that the service reads or writes, where an application lacks them
-- (`quotes.avinode_quote_id` is absent in some). Nullable and without a default: no rewrite, no scan.
--
-- The catalog is asked first: ADD COLUMN IF NOT EXISTS takes its exclusive lock, and asks for ownership, even where it
-- then does nothing. No column is added for a currency: the application has none, and ours stands in our facts.
DO $$
DECLARE
    missing record;
BEGIN
    IF to_regtype('public.quote_status') IS NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = 'public.quotes'::regclass AND attname = 'status' AND NOT attisdropped
    ) THEN
        CREATE TYPE public.quote_status AS ENUM ('pending', 'received', 'analyzed', 'accepted', 'rejected', 'expired');
    END IF;

    FOR missing IN
        SELECT needed.*
        FROM (VALUES
            ('iso_agents',    'clerk_user_id',        'text',                'The login: equals the claim `sub` of the broker''s token.'),
            ('iso_agents',    'full_name',            'text',                'Name of the broker, for people to read.'),
            ('requests',      'iso_agent_id',         'uuid',                'The broker who works on it.'),
            ('requests',      'departure_airport',    'text',                'Where from.'),
            ('requests',      'arrival_airport',      'text',                'Where to.'),
            ('requests',      'departure_date',       'timestamptz',         'When the client wants to leave.'),
            ('conversations', 'request_id',           'uuid',                'The request that it is about, once there is one.'),
            ('conversations', 'subject',              'text',                'Shown in the list of an agent''s sessions.'),
            ('quotes',        'request_id',           'uuid',                'The request that it answers.'),
            ('quotes',        'operator_id',          'text',                'The seller''s id at Avinode.'),
            ('quotes',        'operator_name',        'text',                'The seller''s name.'),
            ('quotes',        'base_price',           'numeric(12, 2)',      'Above zero, in the currency of the quote.'),
            ('quotes',        'total_price',          'numeric(12, 2)',      'Above zero, in the currency of the quote.'),
            ('quotes',        'aircraft_type',        'text',                'Type or model of the aircraft, for people to read.'),
            ('quotes',        'aircraft_tail_number', 'text',                'Registration, where the seller names it.'),
            ('quotes',        'aircraft_details',     'jsonb',               'The aircraft as the seller describes it.'),
            ('quotes',        'valid_until',          'timestamptz',         'The quote expires then; NULL where the seller names no end.'),
            ('quotes',        'status',               'public.quote_status', 'Shared with the application; what a person set is never overwritten.'),
            ('quotes',        'metadata',             'jsonb',               'What has no column here, such as the currency.'),
            ('quotes',        'avinode_quote_id',     'text',                'Avinode''s id of the quote; NULL for a quote that did not come from Avinode.'),
            ('quotes',        'received_at',          'timestamptz',         'When the quote was received.'),
            ('quotes',        'decline_reason',       'text',                'The application''s.')
        ) AS needed (table_name, column_name, type, comment)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute
            WHERE attrelid = to_regclass('public.' || needed.table_name)
              AND attname = needed.column_name AND attnum > 0 AND NOT attisdropped
        )
    LOOP
        EXECUTE format('ALTER TABLE public.%I ADD COLUMN %I %s', missing.table_name, missing.column_name, missing.type);
        EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', missing.table_name, missing.column_name,
                       missing.comment || ' Added by avinode-ingest.');
    END LOOP;
END
$$;
