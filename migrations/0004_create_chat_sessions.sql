-- Creates chat_sessions where it is missing: one row per workflow of a conversation, with its trip request, Avinode trip,
-- quotes and proposal. Where an application has the table already, with rows, policies, indexes and triggers of its own, only
-- missing columns are added.
DO $$
DECLARE
    missing record;
BEGIN
    IF to_regtype('public.chat_session_status') IS NULL THEN
        CREATE TYPE public.chat_session_status AS ENUM ('active', 'paused', 'completed', 'archived');
        COMMENT ON TYPE public.chat_session_status IS
            'active: in use; paused: the user is away; completed: the proposal was sent; archived: completed more than 90 days ago.';
    END IF;

    IF to_regclass('public.chat_sessions') IS NULL THEN
        -- An application that does not know this table must be able to delete its rows as before: a reference to a deleted
        -- row becomes NULL, and deleting a conversation or an agent deletes its sessions.
        CREATE TABLE public.chat_sessions (
            id                        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            conversation_id           uuid NOT NULL REFERENCES public.conversations (id) ON DELETE CASCADE,
            request_id                uuid REFERENCES public.requests (id) ON DELETE SET NULL,
            iso_agent_id              uuid NOT NULL REFERENCES public.iso_agents (id) ON DELETE CASCADE,
            status                    public.chat_session_status NOT NULL DEFAULT 'active',
            avinode_trip_id           text,
            avinode_rfp_id            text,
            avinode_rfq_id            text,
            primary_quote_id          uuid REFERENCES public.quotes (id) ON DELETE SET NULL,
            proposal_id               uuid REFERENCES public.proposals (id) ON DELETE SET NULL,
            session_started_at        timestamptz NOT NULL DEFAULT now(),
            session_ended_at          timestamptz,
            last_activity_at          timestamptz NOT NULL DEFAULT now(),
            current_step              text,
            -- An empty object instead of NULL: `||` merges into it without a special case.
            workflow_state            jsonb DEFAULT '{}',
            message_count             integer DEFAULT 0,
            quotes_received_count     integer DEFAULT 0,
            quotes_expected_count     integer DEFAULT 0,
            operators_contacted_count integer DEFAULT 0,
            metadata                  jsonb DEFAULT '{}',
            created_at                timestamptz NOT NULL DEFAULT now(),
            updated_at                timestamptz NOT NULL DEFAULT now()
        );

        -- Closed from the start; 0021 adds the policies.
        ALTER TABLE public.chat_sessions ENABLE ROW LEVEL SECURITY;

        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.chat_sessions
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();

        COMMENT ON TABLE public.chat_sessions IS
            'Workflows of chat conversations, from understanding a request to a proposal. Written by the application and by avinode-ingest. Not login sessions.';
        COMMENT ON COLUMN public.chat_sessions.id IS 'Id of the session.';
        COMMENT ON COLUMN public.chat_sessions.conversation_id IS 'Conversation of the session. At most one session of a conversation should be active; existing data may hold more.';
        COMMENT ON COLUMN public.chat_sessions.request_id IS 'Trip request; NULL until there is one. Quotes of a session without a request cannot be projected into quotes.';
        COMMENT ON COLUMN public.chat_sessions.iso_agent_id IS 'Broker who owns the session; row-level security relies on it.';
        COMMENT ON COLUMN public.chat_sessions.status IS 'active, paused, completed or archived.';
        COMMENT ON COLUMN public.chat_sessions.avinode_trip_id IS 'Avinode trip, in the spelling of its writer: a resource id (atrip-64956150, or the digits alone) or a short id (A1B2C3).';
        COMMENT ON COLUMN public.chat_sessions.avinode_rfp_id IS 'Avinode RFP.';
        COMMENT ON COLUMN public.chat_sessions.avinode_rfq_id IS 'One Avinode RFQ; its events find the session even if no session has their trip.';
        COMMENT ON COLUMN public.chat_sessions.primary_quote_id IS 'Quote to propose. Selected by policy, unless a person or the application wrote it: then it is pinned until it is set to NULL.';
        COMMENT ON COLUMN public.chat_sessions.proposal_id IS 'Proposal created from the session.';
        COMMENT ON COLUMN public.chat_sessions.session_started_at IS 'Time at which the workflow began.';
        COMMENT ON COLUMN public.chat_sessions.session_ended_at IS 'Time at which the session was completed; 90 days later it may be archived.';
        COMMENT ON COLUMN public.chat_sessions.last_activity_at IS 'Time of the last activity; only moves forward.';
        COMMENT ON COLUMN public.chat_sessions.current_step IS 'understanding_request, searching_aircraft, requesting_quotes, proposal_ready, or a step of the application''s own.';
        COMMENT ON COLUMN public.chat_sessions.workflow_state IS 'Workflow context of the application; the service writes the key avinode_trip only.';
        COMMENT ON COLUMN public.chat_sessions.message_count IS 'Number of messages in the conversation; maintained by the application.';
        COMMENT ON COLUMN public.chat_sessions.quotes_received_count IS 'Number of quotes received, each counted once. The service adds to the value it finds and never lowers it.';
        COMMENT ON COLUMN public.chat_sessions.quotes_expected_count IS 'Number of quotes expected; raised to the number of RFQs, never lowered by the service.';
        COMMENT ON COLUMN public.chat_sessions.operators_contacted_count IS 'Number of operators contacted; raised to the number of RFQs, never lowered by the service.';
        COMMENT ON COLUMN public.chat_sessions.metadata IS 'Owned by the application.';
        COMMENT ON COLUMN public.chat_sessions.created_at IS 'Time at which the row was inserted.';
        COMMENT ON COLUMN public.chat_sessions.updated_at IS 'Time of the last update; maintained by a trigger.';
    END IF;

    -- Columns that an older application lacks. Defaults are constants, so no row is rewritten; a reference is on a column that
    -- is NULL in every row, so no row is checked.
    FOR missing IN
        SELECT needed.*
        FROM (VALUES
            ('request_id',                'uuid REFERENCES public.requests (id) ON DELETE SET NULL',  'Trip request; NULL until there is one.'),
            ('status',                    'public.chat_session_status NOT NULL DEFAULT ''active''',   'active, paused, completed or archived.'),
            ('avinode_trip_id',           'text',                                                     'Avinode trip: a resource id or a short id, in any spelling.'),
            ('avinode_rfp_id',            'text',                                                     'Avinode RFP.'),
            ('avinode_rfq_id',            'text',                                                     'One Avinode RFQ; its events find the session even if no session has their trip.'),
            ('primary_quote_id',          'uuid REFERENCES public.quotes (id) ON DELETE SET NULL',    'Quote to propose.'),
            ('proposal_id',               'uuid REFERENCES public.proposals (id) ON DELETE SET NULL', 'Proposal created from the session.'),
            ('session_started_at',        'timestamptz NOT NULL DEFAULT now()',                       'Time at which the workflow began.'),
            ('session_ended_at',          'timestamptz',                                              'Time at which the session was completed; 90 days later it may be archived.'),
            ('last_activity_at',          'timestamptz NOT NULL DEFAULT now()',                       'Time of the last activity; only moves forward.'),
            ('current_step',              'text',                                                     'Step of the workflow.'),
            ('workflow_state',            'jsonb DEFAULT ''{}''',                                     'Workflow context; the service writes the key avinode_trip only.'),
            ('message_count',             'integer DEFAULT 0',                                        'Number of messages in the conversation; maintained by the application.'),
            ('quotes_received_count',     'integer DEFAULT 0',                                        'Number of quotes received, each counted once.'),
            ('quotes_expected_count',     'integer DEFAULT 0',                                        'Number of quotes expected.'),
            ('operators_contacted_count', 'integer DEFAULT 0',                                        'Number of operators contacted.'),
            ('metadata',                  'jsonb DEFAULT ''{}''',                                     'Owned by the application.'),
            ('created_at',                'timestamptz NOT NULL DEFAULT now()',                       'Time at which the row was inserted.'),
            ('updated_at',                'timestamptz NOT NULL DEFAULT now()',                       'Time of the last update.')
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
