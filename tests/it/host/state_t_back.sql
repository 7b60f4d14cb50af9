-- Run after state_t.sql: the application creates its session tracking again, empty and with the constraints of its own.
CREATE TYPE public.chat_session_status AS ENUM ('active', 'paused', 'completed', 'archived');
CREATE TYPE public.conversation_type AS ENUM ('rfp', 'quote', 'general');
CREATE TYPE public.conversation_status AS ENUM ('active', 'resolved', 'archived');

CREATE TABLE public.conversations (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id      uuid REFERENCES public.requests (id) ON DELETE CASCADE,
    quote_id        uuid REFERENCES public.quotes (id) ON DELETE SET NULL,
    type            public.conversation_type NOT NULL DEFAULT 'rfp',
    status          public.conversation_status NOT NULL DEFAULT 'active',
    subject         text,
    last_message_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.chat_sessions (
    id                        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id           uuid NOT NULL REFERENCES public.conversations (id) ON DELETE CASCADE,
    request_id                uuid REFERENCES public.requests (id) ON DELETE CASCADE,
    iso_agent_id              uuid NOT NULL REFERENCES public.iso_agents (id) ON DELETE CASCADE,
    conversation_type         text DEFAULT 'general' CHECK (conversation_type IN ('flight_request', 'general')),
    status                    public.chat_session_status NOT NULL DEFAULT 'active',
    avinode_trip_id           text,
    avinode_rfp_id            text,
    avinode_rfq_id            text,
    primary_quote_id          uuid REFERENCES public.quotes (id) ON DELETE SET NULL,
    proposal_id               uuid REFERENCES public.proposals (id) ON DELETE SET NULL,
    session_started_at        timestamptz NOT NULL,
    session_ended_at          timestamptz,
    last_activity_at          timestamptz NOT NULL,
    current_step              text,
    workflow_state            jsonb,
    message_count             integer DEFAULT 0 CHECK (message_count >= 0),
    quotes_received_count     integer DEFAULT 0 CHECK (quotes_received_count >= 0),
    quotes_expected_count     integer DEFAULT 0 CHECK (quotes_expected_count >= 0),
    operators_contacted_count integer DEFAULT 0 CHECK (operators_contacted_count >= 0),
    metadata                  jsonb,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL
);
