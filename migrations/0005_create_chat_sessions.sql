-- Chat sessions: one row per conversation workflow, tied to a trip request, an Avinode trip, quotes and a proposal.
-- An application may have the table already, with rows, policies, indexes and triggers: then nothing here happens.

DO $$
BEGIN
    IF to_regtype('public.chat_session_status') IS NULL THEN
        CREATE TYPE public.chat_session_status AS ENUM ('active', 'paused', 'completed', 'archived');
        COMMENT ON TYPE public.chat_session_status IS
            'active: in use; paused: the user is away; completed: the proposal was sent; archived: completed more than 90 days ago.';
    END IF;

    IF to_regclass('public.chat_sessions') IS NULL THEN
        -- An application that never knew this table must go on deleting its rows as before: a reference to one that is
        -- deleted becomes NULL, and a session goes with its conversation or its agent.
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
            -- An empty object rather than NULL: merging into it with || needs no case of its own.
            workflow_state            jsonb DEFAULT '{}',
            message_count             integer DEFAULT 0,
            quotes_received_count     integer DEFAULT 0,
            quotes_expected_count     integer DEFAULT 0,
            operators_contacted_count integer DEFAULT 0,
            metadata                  jsonb DEFAULT '{}',
            created_at                timestamptz NOT NULL DEFAULT now(),
            updated_at                timestamptz NOT NULL DEFAULT now()
        );

        -- Closed from its first moment; a later file says who may see what.
        ALTER TABLE public.chat_sessions ENABLE ROW LEVEL SECURITY;

        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.chat_sessions
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();

        COMMENT ON TABLE public.chat_sessions IS
            'Workflows of chat conversations: from understanding a request to a proposal. Written by the application and by avinode-ingest. Not login sessions.';
        COMMENT ON COLUMN public.chat_sessions.id IS 'The session.';
        COMMENT ON COLUMN public.chat_sessions.conversation_id IS 'The conversation. At most one session of it should be active; existing data may hold more.';
        COMMENT ON COLUMN public.chat_sessions.request_id IS 'The trip request, once there is one. Without it no quote of the session can stand in quotes.';
        COMMENT ON COLUMN public.chat_sessions.iso_agent_id IS 'The broker whose session it is; row-level security rests on it.';
        COMMENT ON COLUMN public.chat_sessions.status IS 'active, paused, completed or archived.';
        COMMENT ON COLUMN public.chat_sessions.avinode_trip_id IS 'The Avinode trip, as whoever wrote it spelled it: a resource id (atrip-64956150, or bare digits) or a short id (A1B2C3).';
        COMMENT ON COLUMN public.chat_sessions.avinode_rfp_id IS 'The Avinode RFP.';
        COMMENT ON COLUMN public.chat_sessions.avinode_rfq_id IS 'One Avinode RFQ; an event of it finds the session where the trip does not.';
        COMMENT ON COLUMN public.chat_sessions.primary_quote_id IS 'The quote to propose. Elected, unless a person or the application wrote it: then it stands until it is set to NULL.';
        COMMENT ON COLUMN public.chat_sessions.proposal_id IS 'The proposal made from the session.';
        COMMENT ON COLUMN public.chat_sessions.session_started_at IS 'When the workflow began.';
        COMMENT ON COLUMN public.chat_sessions.session_ended_at IS 'When it was completed; 90 days later it may be archived.';
        COMMENT ON COLUMN public.chat_sessions.last_activity_at IS 'When something last happened; only ever moves forward.';
        COMMENT ON COLUMN public.chat_sessions.current_step IS 'understanding_request, searching_aircraft, requesting_quotes, proposal_ready, or a step of the application''s own.';
        COMMENT ON COLUMN public.chat_sessions.workflow_state IS 'The application''s context of the workflow; the service writes the key avinode_trip only.';
        COMMENT ON COLUMN public.chat_sessions.message_count IS 'Messages of the conversation; counted by the application.';
        COMMENT ON COLUMN public.chat_sessions.quotes_received_count IS 'Quotes received, each once; grows from whatever the application wrote, never shrinks by itself.';
        COMMENT ON COLUMN public.chat_sessions.quotes_expected_count IS 'Quotes asked for; raised to the number of RFQs, never lowered by the service.';
        COMMENT ON COLUMN public.chat_sessions.operators_contacted_count IS 'Operators asked; raised to the number of RFQs, never lowered by the service.';
        COMMENT ON COLUMN public.chat_sessions.metadata IS 'The application''s.';
        COMMENT ON COLUMN public.chat_sessions.created_at IS 'When the row was made.';
        COMMENT ON COLUMN public.chat_sessions.updated_at IS 'When the row was last changed; kept by a trigger.';
    END IF;
END
$$;
