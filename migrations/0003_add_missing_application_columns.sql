-- Adds the columns of the application's tables that the service reads or writes, where an application lacks them
-- (`quotes.avinode_quote_id` is absent in some). Nullable and without a default: no table rewrite and no scan.
--
-- The catalog is checked first: ADD COLUMN IF NOT EXISTS takes its exclusive lock, and requires ownership, even where the
-- column exists. No column is added for a currency: the application has none, and the service stores it with its facts.
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
            ('iso_agents',    'clerk_user_id',        'text',                'Login: equals the claim `sub` of the broker''s token.'),
            ('iso_agents',    'full_name',            'text',                'Display name of the broker.'),
            ('requests',      'iso_agent_id',         'uuid',                'Broker who handles the request.'),
            ('requests',      'departure_airport',    'text',                'ICAO or IATA code.'),
            ('requests',      'arrival_airport',      'text',                'ICAO or IATA code.'),
            ('requests',      'departure_date',       'timestamptz',         'Departure time that the client asked for.'),
            ('conversations', 'request_id',           'uuid',                'Request that the conversation is about; NULL until there is one.'),
            ('conversations', 'subject',              'text',                'Shown in the list of an agent''s sessions.'),
            ('quotes',        'request_id',           'uuid',                'Request that the quote answers.'),
            ('quotes',        'operator_id',          'text',                'Avinode''s id of the seller.'),
            ('quotes',        'operator_name',        'text',                'Display name of the seller.'),
            ('quotes',        'base_price',           'numeric(12, 2)',      'Greater than zero, in the currency of the quote.'),
            ('quotes',        'total_price',          'numeric(12, 2)',      'Greater than zero, in the currency of the quote.'),
            ('quotes',        'aircraft_type',        'text',                'Display name of the aircraft''s type or model.'),
            ('quotes',        'aircraft_tail_number', 'text',                'Registration of the aircraft, if the seller states it.'),
            ('quotes',        'aircraft_details',     'jsonb',               'Description of the aircraft by the seller.'),
            ('quotes',        'valid_until',          'timestamptz',         'Time at which the quote expires; NULL if the seller states none.'),
            ('quotes',        'status',               'public.quote_status', 'Written by the application and the service; a status set by a person is never overwritten.'),
            ('quotes',        'metadata',             'jsonb',               'Attributes without a column of their own, such as the currency.'),
            ('quotes',        'avinode_quote_id',     'text',                'Avinode''s id of the quote; NULL for a quote from elsewhere.'),
            ('quotes',        'received_at',          'timestamptz',         'Time at which the quote was received.'),
            ('quotes',        'decline_reason',       'text',                'Owned by the application.')
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
