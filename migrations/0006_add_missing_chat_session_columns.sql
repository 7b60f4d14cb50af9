-- A chat_sessions of an older application may lack columns that were added to it since: they are added.
-- Defaults are constants, so no row is rewritten; a reference is on a column that is NULL everywhere, so no row is checked.
DO $$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT needed.*
        FROM (VALUES
            ('request_id',                'uuid REFERENCES public.requests (id) ON DELETE SET NULL',  'The trip request, once there is one.'),
            ('status',                    'public.chat_session_status NOT NULL DEFAULT ''active''',   'active, paused, completed or archived.'),
            ('avinode_trip_id',           'text',                                                     'The Avinode trip: a resource id or a short id, in any spelling.'),
            ('avinode_rfp_id',            'text',                                                     'The Avinode RFP.'),
            ('avinode_rfq_id',            'text',                                                     'One Avinode RFQ; an event of it finds the session where the trip does not.'),
            ('primary_quote_id',          'uuid REFERENCES public.quotes (id) ON DELETE SET NULL',    'The quote to propose.'),
            ('proposal_id',               'uuid REFERENCES public.proposals (id) ON DELETE SET NULL', 'The proposal made from the session.'),
            ('session_started_at',        'timestamptz NOT NULL DEFAULT now()',                       'When the workflow began.'),
            ('session_ended_at',          'timestamptz',                                              'When it was completed; 90 days later it may be archived.'),
            ('last_activity_at',          'timestamptz NOT NULL DEFAULT now()',                       'When something last happened; only ever moves forward.'),
            ('current_step',              'text',                                                     'The step of the workflow.'),
            ('workflow_state',            'jsonb DEFAULT ''{}''',                                     'Context of the workflow; the service writes the key avinode_trip only.'),
            ('message_count',             'integer DEFAULT 0',                                        'Messages of the conversation; counted by the application.'),
            ('quotes_received_count',     'integer DEFAULT 0',                                        'Quotes received, each once.'),
            ('quotes_expected_count',     'integer DEFAULT 0',                                        'Quotes asked for.'),
            ('operators_contacted_count', 'integer DEFAULT 0',                                        'Operators asked.'),
            ('metadata',                  'jsonb DEFAULT ''{}''',                                     'The application''s.'),
            ('created_at',                'timestamptz NOT NULL DEFAULT now()',                       'When the row was made.'),
            ('updated_at',                'timestamptz NOT NULL DEFAULT now()',                       'When the row was last changed.')
        ) AS needed (column_name, definition, comment)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.chat_sessions'::regclass
              AND attname = needed.column_name AND attnum > 0 AND NOT attisdropped
        )
    LOOP
        EXECUTE format('ALTER TABLE public.chat_sessions ADD COLUMN %I %s', missing.column_name, missing.definition);
        EXECUTE format('COMMENT ON COLUMN public.chat_sessions.%I IS %L', missing.column_name,
                       missing.comment || ' Added by avinode-ingest.');
    END LOOP;
END
$$;
