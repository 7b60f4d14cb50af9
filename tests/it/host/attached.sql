-- The database of a charter-brokerage application, as the service finds it when it is attached: strict tables with data,
-- columns we do not know, and chat_sessions with rows.
-- Run after supabase.sql, before the migrations, by a superuser. Plain SQL, so that a test can send it as one text.

-- ---------------------------------------------------------------------------------------------------------------------
-- The application's tables: stricter than ours, with more columns
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TYPE public.user_role AS ENUM ('iso_agent', 'admin', 'operator');
CREATE TYPE public.request_status AS ENUM ('draft', 'pending', 'analyzing', 'awaiting_quotes', 'completed', 'failed', 'cancelled');
CREATE TYPE public.quote_status AS ENUM ('pending', 'received', 'analyzed', 'accepted', 'rejected', 'expired');
CREATE TYPE public.conversation_type AS ENUM ('rfp', 'quote', 'general');
CREATE TYPE public.conversation_status AS ENUM ('active', 'resolved', 'archived');
CREATE TYPE public.proposal_status AS ENUM ('draft', 'sent', 'viewed', 'accepted', 'rejected');

CREATE FUNCTION public.update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END
$$;

CREATE TABLE public.iso_agents (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clerk_user_id text UNIQUE NOT NULL,
    email         text UNIQUE NOT NULL CHECK (email LIKE '%_@_%'),
    full_name     text NOT NULL,
    role          public.user_role NOT NULL DEFAULT 'iso_agent',
    margin_value  numeric(10, 2) DEFAULT 0 CHECK (margin_value >= 0),
    is_active     boolean NOT NULL DEFAULT true,
    metadata      jsonb DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.iso_agents IS 'User profiles synced from the login provider';

CREATE TABLE public.requests (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    iso_agent_id      uuid NOT NULL REFERENCES public.iso_agents (id) ON DELETE CASCADE,
    departure_airport text NOT NULL,
    arrival_airport   text NOT NULL,
    departure_date    timestamptz NOT NULL,
    passengers        integer NOT NULL CHECK (passengers > 0),
    budget            numeric(12, 2),
    status            public.request_status NOT NULL DEFAULT 'draft',
    avinode_trip_id   text,
    avinode_rfp_id    text,
    metadata          jsonb DEFAULT '{}',
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.quotes (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id           uuid NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    operator_id          text NOT NULL,
    operator_name        text NOT NULL,
    base_price           numeric(12, 2) NOT NULL CHECK (base_price > 0),
    fuel_surcharge       numeric(12, 2) DEFAULT 0,
    total_price          numeric(12, 2) NOT NULL CHECK (total_price > 0),
    aircraft_type        text NOT NULL,
    aircraft_tail_number text,
    aircraft_details     jsonb DEFAULT '{}',
    availability_confirmed boolean DEFAULT false,
    valid_until          timestamptz,
    score                numeric(5, 2) CHECK (score BETWEEN 0 AND 100),
    status               public.quote_status NOT NULL DEFAULT 'pending',
    metadata             jsonb DEFAULT '{}',
    avinode_quote_id     text UNIQUE,
    received_at          timestamptz,
    decline_reason       text,
    raw_webhook_payload  jsonb,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);

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

CREATE TABLE public.proposals (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id      uuid NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    iso_agent_id    uuid NOT NULL REFERENCES public.iso_agents (id),
    quote_id        uuid REFERENCES public.quotes (id) ON DELETE SET NULL,
    file_name       text NOT NULL,
    file_url        text NOT NULL,
    proposal_number text UNIQUE NOT NULL,
    title           text NOT NULL,
    status          public.proposal_status NOT NULL DEFAULT 'draft',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER update_iso_agents_updated_at BEFORE UPDATE ON public.iso_agents FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_requests_updated_at BEFORE UPDATE ON public.requests FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_quotes_updated_at BEFORE UPDATE ON public.quotes FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();

ALTER TABLE public.iso_agents ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Agents see themselves" ON public.iso_agents FOR SELECT
    USING (clerk_user_id = (SELECT auth.jwt() ->> 'sub'));

ALTER TABLE public.requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Agents manage their requests" ON public.requests
    USING (iso_agent_id IN (SELECT id FROM public.iso_agents WHERE clerk_user_id = auth.jwt() ->> 'sub'));

ALTER TABLE public.quotes ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Agents see quotes of their requests" ON public.quotes FOR SELECT
    USING (request_id IN (SELECT id FROM public.requests));

-- ---------------------------------------------------------------------------------------------------------------------
-- Its session tracking, as in the application's own migration: columns without defaults, a column of its own,
-- policies, some of the indexes, one of the three helper functions
-- ---------------------------------------------------------------------------------------------------------------------

CREATE TYPE public.chat_session_status AS ENUM ('active', 'paused', 'completed', 'archived');

CREATE TABLE public.chat_sessions (
    id                        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id           uuid NOT NULL REFERENCES public.conversations (id),
    request_id                uuid REFERENCES public.requests (id),
    iso_agent_id              uuid NOT NULL REFERENCES public.iso_agents (id),
    status                    public.chat_session_status NOT NULL DEFAULT 'active',
    avinode_trip_id           text,
    avinode_rfp_id            text,
    avinode_rfq_id            text,
    primary_quote_id          uuid REFERENCES public.quotes (id),
    proposal_id               uuid REFERENCES public.proposals (id),
    session_started_at        timestamptz NOT NULL,
    session_ended_at          timestamptz,
    last_activity_at          timestamptz NOT NULL,
    current_step              text,
    workflow_state            jsonb,
    message_count             integer DEFAULT 0,
    quotes_received_count     integer DEFAULT 0,
    quotes_expected_count     integer DEFAULT 0,
    operators_contacted_count integer DEFAULT 0,
    metadata                  jsonb,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL,
    session_id                text -- the application's: a name that a careless function would take for its argument
);

CREATE INDEX idx_chat_sessions_conversation_status ON public.chat_sessions (conversation_id, status);
CREATE INDEX idx_chat_sessions_iso_agent ON public.chat_sessions (iso_agent_id);
CREATE INDEX idx_chat_sessions_avinode_trip ON public.chat_sessions (avinode_trip_id) WHERE avinode_trip_id IS NOT NULL;

CREATE TRIGGER update_chat_sessions_updated_at BEFORE UPDATE ON public.chat_sessions
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();

ALTER TABLE public.chat_sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Agents see their sessions" ON public.chat_sessions FOR SELECT
    USING (iso_agent_id IN (SELECT id FROM public.iso_agents WHERE clerk_user_id = auth.jwt() ->> 'sub'));
CREATE POLICY "Agents start their sessions" ON public.chat_sessions FOR INSERT
    WITH CHECK (iso_agent_id IN (SELECT id FROM public.iso_agents WHERE clerk_user_id = auth.jwt() ->> 'sub'));
CREATE POLICY "Agents update their sessions" ON public.chat_sessions FOR UPDATE
    USING (iso_agent_id IN (SELECT id FROM public.iso_agents WHERE clerk_user_id = auth.jwt() ->> 'sub'));
CREATE POLICY "Service role has full access" ON public.chat_sessions TO service_role USING (true) WITH CHECK (true);

-- Not a definer function: row-level security decides what it touches. It must be left as it is.
CREATE FUNCTION public.archive_old_chat_sessions() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    archived_count integer;
BEGIN
    UPDATE public.chat_sessions SET status = 'archived'
    WHERE status = 'completed' AND session_ended_at < now() - interval '90 days';
    GET DIAGNOSTICS archived_count = ROW_COUNT;
    RETURN archived_count;
END
$$;
COMMENT ON FUNCTION public.archive_old_chat_sessions() IS 'The application''s own';

-- ---------------------------------------------------------------------------------------------------------------------
-- Rows. Ids tell what they are: 01 agents, 02 requests, 03 conversations, 04 quotes, 05 proposals, 06 sessions.
-- ---------------------------------------------------------------------------------------------------------------------

INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name, is_active) VALUES
    ('01000000-0000-4000-8000-000000000001', 'user_alice', 'alice@broker.example', 'Alice Archer', true),
    ('01000000-0000-4000-8000-000000000002', 'user_bob',   'bob@broker.example',   'Bob Barker',   true),
    -- has left, and owns nothing
    ('01000000-0000-4000-8000-000000000003', 'user_carol', 'carol@broker.example', 'Carol Cole',   false);

INSERT INTO public.requests
    (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers, status, avinode_trip_id, avinode_rfp_id)
VALUES
    -- Alice: three quotes came before the service was attached
    ('02000000-0000-4000-8000-000000000001', '01000000-0000-4000-8000-000000000001', 'KTEB', 'KOPF', now() + interval '20 days', 6, 'awaiting_quotes', 'atrip-64956150', 'rfp-123'),
    -- Bob: his application chose a primary quote
    ('02000000-0000-4000-8000-000000000002', '01000000-0000-4000-8000-000000000002', 'EGGW', 'LFMN', now() + interval '9 days', 4, 'awaiting_quotes', 'A1B2C3', NULL),
    -- Alice: done, with a proposal
    ('02000000-0000-4000-8000-000000000003', '01000000-0000-4000-8000-000000000001', 'KVNY', 'KASE', now() + interval '2 days', 3, 'completed', 'atrip-64956140', NULL),
    -- Bob: waits for quotes, none yet
    ('02000000-0000-4000-8000-000000000004', '01000000-0000-4000-8000-000000000002', 'LSZH', 'LEPA', now() + interval '30 days', 8, 'awaiting_quotes', '64956151', NULL);

INSERT INTO public.conversations (id, request_id, type, subject) VALUES
    ('03000000-0000-4000-8000-000000000001', '02000000-0000-4000-8000-000000000001', 'rfp', 'Teterboro to Opa-locka'),
    ('03000000-0000-4000-8000-000000000002', '02000000-0000-4000-8000-000000000002', 'rfp', 'Luton to Nice'),
    ('03000000-0000-4000-8000-000000000003', '02000000-0000-4000-8000-000000000003', 'rfp', 'Van Nuys to Aspen'),
    ('03000000-0000-4000-8000-000000000004', NULL,                                   'general', 'Duplicate sessions'),
    ('03000000-0000-4000-8000-000000000005', '02000000-0000-4000-8000-000000000004', 'rfp', 'Zurich to Palma'),
    ('03000000-0000-4000-8000-000000000006', NULL,                                   'general', NULL),
    ('03000000-0000-4000-8000-000000000007', NULL,                                   'general', 'Old trips');

INSERT INTO public.quotes
    (id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, aircraft_tail_number, status,
     avinode_quote_id, valid_until, received_at, metadata)
VALUES
    -- the three that session 1 has counted: they enter its ledger and are never counted again
    ('04000000-0000-4000-8000-000000000001', '02000000-0000-4000-8000-000000000001', 'op-100', 'Skyline Charter', 40000.00, 45000.00, 'Citation XLS', 'N560SK', 'received', 'aquote-386512701', now() + interval '5 days', now() - interval '3 hours', '{}'),
    ('04000000-0000-4000-8000-000000000002', '02000000-0000-4000-8000-000000000001', 'op-200', 'Blue Harbor Jets', 38000.00, 42500.00, 'Learjet 60', NULL, 'analyzed', 'aquote-386512702', now() + interval '5 days', now() - interval '2 hours', '{"note": "kept"}'),
    -- the application rejected it: no later webhook may bring the status back
    ('04000000-0000-4000-8000-000000000003', '02000000-0000-4000-8000-000000000001', 'op-300', 'Northwind Air', 51000.00, 55000.00, 'Challenger 350', 'N350NW', 'rejected', 'aquote-386512703', NULL, now() - interval '1 hour', '{}'),
    -- made by hand, not from Avinode: never ours to touch
    ('04000000-0000-4000-8000-000000000004', '02000000-0000-4000-8000-000000000001', 'op-900', 'By telephone', 39000.00, 39000.00, 'Hawker 800XP', NULL, 'pending', NULL, NULL, NULL, NULL),
    -- the primary quote of session 2, chosen by the application
    ('04000000-0000-4000-8000-000000000005', '02000000-0000-4000-8000-000000000002', 'op-400', 'Channel Wings', 9000.00, 10500.00, 'Phenom 300', 'G-CWPH', 'accepted', 'aquote-386512711', now() + interval '1 day', now() - interval '5 hours', '{}'),
    -- the quote of the completed session 3
    ('04000000-0000-4000-8000-000000000006', '02000000-0000-4000-8000-000000000003', 'op-100', 'Skyline Charter', 15000.00, 16800.00, 'Citation CJ3', 'N525SK', 'accepted', 'aquote-386512721', now() - interval '8 days', now() - interval '12 days', '{}');

INSERT INTO public.proposals (id, request_id, iso_agent_id, quote_id, file_name, file_url, proposal_number, title, status) VALUES
    ('05000000-0000-4000-8000-000000000001', '02000000-0000-4000-8000-000000000003', '01000000-0000-4000-8000-000000000001',
     '04000000-0000-4000-8000-000000000006', 'p-1001.pdf', 'https://files.example/p-1001.pdf', 'P-1001', 'Van Nuys to Aspen', 'sent');

INSERT INTO public.chat_sessions
    (id, conversation_id, request_id, iso_agent_id, status, avinode_trip_id, avinode_rfp_id, avinode_rfq_id, primary_quote_id,
     proposal_id, session_started_at, session_ended_at, last_activity_at, current_step, workflow_state, message_count,
     quotes_received_count, quotes_expected_count, operators_contacted_count, metadata, created_at, updated_at)
VALUES
    -- 1: Alice's, active; three quotes counted and in `quotes`, no primary. After a replay of the three it still counts three.
    ('06000000-0000-4000-8000-000000000001', '03000000-0000-4000-8000-000000000001', '02000000-0000-4000-8000-000000000001',
     '01000000-0000-4000-8000-000000000001', 'active', 'atrip-64956150', 'rfp-123', NULL, NULL,
     NULL, now() - interval '1 day', NULL, now() - interval '1 hour', 'requesting_quotes', '{"context": "kept"}', 12,
     3, 5, 5, '{"source": "web"}', now() - interval '1 day', now() - interval '1 hour'),
    -- 2: Bob's, active, known by a short id; its primary quote was set by the application: pinned, though it soon expires
    ('06000000-0000-4000-8000-000000000002', '03000000-0000-4000-8000-000000000002', '02000000-0000-4000-8000-000000000002',
     '01000000-0000-4000-8000-000000000002', 'active', 'A1B2C3', NULL, NULL, '04000000-0000-4000-8000-000000000005',
     NULL, now() - interval '2 days', NULL, now() - interval '5 hours', 'requesting_quotes', NULL, 4,
     1, 2, 2, NULL, now() - interval '2 days', now() - interval '5 hours'),
    -- 3: Alice's, completed ten days ago: late quotes count, its primary, step and status stay; not yet to be archived
    ('06000000-0000-4000-8000-000000000003', '03000000-0000-4000-8000-000000000003', '02000000-0000-4000-8000-000000000003',
     '01000000-0000-4000-8000-000000000001', 'completed', 'atrip-64956140', NULL, NULL, '04000000-0000-4000-8000-000000000006',
     '05000000-0000-4000-8000-000000000001', now() - interval '14 days', now() - interval '10 days', now() - interval '10 days', 'proposal_ready', '{}', 30,
     1, 1, 1, '{}', now() - interval '14 days', now() - interval '10 days'),
    -- 4 and 5: two active sessions on one conversation, from before anybody prevented it: 5 has the newest activity and wins
    ('06000000-0000-4000-8000-000000000004', '03000000-0000-4000-8000-000000000004', NULL,
     '01000000-0000-4000-8000-000000000001', 'active', NULL, NULL, NULL, NULL,
     NULL, now() - interval '3 days', NULL, now() - interval '3 days', 'understanding_request', NULL, 1,
     0, 0, 0, NULL, now() - interval '3 days', now() - interval '3 days'),
    ('06000000-0000-4000-8000-000000000005', '03000000-0000-4000-8000-000000000004', NULL,
     '01000000-0000-4000-8000-000000000001', 'active', NULL, NULL, NULL, NULL,
     NULL, now() - interval '2 days', NULL, now() - interval '1 day', 'searching_aircraft', NULL, 2,
     0, 0, 0, NULL, now() - interval '2 days', now() - interval '1 day'),
    -- 6: Bob's; the trip written as bare digits is atrip-64956151
    ('06000000-0000-4000-8000-000000000006', '03000000-0000-4000-8000-000000000005', '02000000-0000-4000-8000-000000000004',
     '01000000-0000-4000-8000-000000000002', 'active', '64956151', NULL, NULL, NULL,
     NULL, now() - interval '6 hours', NULL, now() - interval '6 hours', 'requesting_quotes', NULL, 2,
     0, 3, 3, NULL, now() - interval '6 hours', now() - interval '6 hours'),
    -- 7: Bob's, without a request; the short id in lower case with blanks is 4ND3C3. Its quotes count, and cannot be projected.
    -- Counts are NULL, as the columns allow.
    ('06000000-0000-4000-8000-000000000007', '03000000-0000-4000-8000-000000000006', NULL,
     '01000000-0000-4000-8000-000000000002', 'active', ' 4nd3c3 ', NULL, NULL, NULL,
     NULL, now() - interval '4 hours', NULL, now() - interval '4 hours', NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, now() - interval '4 hours', now() - interval '4 hours'),
    -- 8: Bob's, paused, known by its RFQ only, at a step of the application's own
    ('06000000-0000-4000-8000-000000000008', '03000000-0000-4000-8000-000000000006', NULL,
     '01000000-0000-4000-8000-000000000002', 'paused', NULL, NULL, 'arfq-12345678', NULL,
     NULL, now() - interval '9 days', NULL, now() - interval '8 days', 'negotiating_with_operator', '{}', 7,
     0, 1, 1, NULL, now() - interval '9 days', now() - interval '8 days'),
    -- 9 and 10: ended more than 90 days ago and due for the archive, one of each agent
    ('06000000-0000-4000-8000-000000000009', '03000000-0000-4000-8000-000000000007', NULL,
     '01000000-0000-4000-8000-000000000001', 'completed', 'atrip-64900001', NULL, NULL, NULL,
     NULL, now() - interval '120 days', now() - interval '100 days', now() - interval '100 days', 'proposal_ready', '{}', 9,
     2, 2, 2, NULL, now() - interval '120 days', now() - interval '100 days'),
    ('06000000-0000-4000-8000-000000000010', '03000000-0000-4000-8000-000000000007', NULL,
     '01000000-0000-4000-8000-000000000002', 'completed', 'atrip-64900002', NULL, NULL, NULL,
     NULL, now() - interval '130 days', now() - interval '91 days', now() - interval '91 days', 'proposal_ready', '{}', 5,
     0, 0, 0, NULL, now() - interval '130 days', now() - interval '91 days'),
    -- 11: archived long ago, of another agent on the trip of session 1: it keeps its count, and gets no newer quote of that trip
    ('06000000-0000-4000-8000-000000000011', '03000000-0000-4000-8000-000000000007', NULL,
     '01000000-0000-4000-8000-000000000002', 'archived', '64956150', NULL, NULL, NULL,
     NULL, now() - interval '400 days', now() - interval '395 days', now() - interval '395 days', 'proposal_ready', '{}', 3,
     0, 0, 0, NULL, now() - interval '400 days', now() - interval '395 days');
