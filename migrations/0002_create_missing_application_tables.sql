-- Standalone, the application's tables do not exist: minimal versions of them, so that sessions have something to refer to.
-- Attached, each of them exists and its block does nothing.
--
-- Names and types are the application's. Everything but ids is nullable even where the application is stricter: code that
-- works here has to fill more columns there, and the tests on an attached database hold it to that.
-- An enum is made only together with its table: the application may call its own differently.

-- Keeps `updated_at` on the tables in `public` that we make; the application's own tables keep their own triggers.
--
-- A trigger that calls this function is also the mark of a table made by us: later files ask for it where the rule
-- is "only on a table of ours" (row-level security, grants).
CREATE OR REPLACE FUNCTION avinode_ingest.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION avinode_ingest.set_updated_at() IS
    'Trigger: the row''s updated_at becomes the time of the transaction. Its presence marks a table in public as made by avinode-ingest.';

-- Firing a trigger asks for no right on its function; only making one does.
REVOKE ALL ON FUNCTION avinode_ingest.set_updated_at() FROM PUBLIC;

DO $$
BEGIN
    IF to_regclass('public.iso_agents') IS NULL THEN
        IF to_regtype('public.user_role') IS NULL THEN
            CREATE TYPE public.user_role AS ENUM ('iso_agent', 'admin', 'operator');
        END IF;
        CREATE TABLE public.iso_agents (
            id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            clerk_user_id text UNIQUE,
            email         text UNIQUE,
            full_name     text,
            role          public.user_role,
            is_active     boolean DEFAULT true,
            created_at    timestamptz NOT NULL DEFAULT now(),
            updated_at    timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.iso_agents IS 'Brokers. A minimal form made by avinode-ingest; an application brings its own.';
        COMMENT ON COLUMN public.iso_agents.id IS 'The broker, as sessions and requests refer to it.';
        COMMENT ON COLUMN public.iso_agents.clerk_user_id IS 'The login: equals the claim `sub` of the broker''s token. Row-level security rests on it.';
        COMMENT ON COLUMN public.iso_agents.email IS 'Address of the broker.';
        COMMENT ON COLUMN public.iso_agents.full_name IS 'Name of the broker, for people to read.';
        COMMENT ON COLUMN public.iso_agents.role IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.iso_agents.is_active IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.iso_agents.created_at IS 'When the row was made.';
        COMMENT ON COLUMN public.iso_agents.updated_at IS 'When the row was last changed; kept by a trigger.';
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.iso_agents
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

DO $$
BEGIN
    IF to_regclass('public.requests') IS NULL THEN
        IF to_regtype('public.request_status') IS NULL THEN
            CREATE TYPE public.request_status AS ENUM ('draft', 'pending', 'awaiting_quotes', 'completed', 'failed', 'cancelled');
        END IF;
        CREATE TABLE public.requests (
            id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            iso_agent_id      uuid REFERENCES public.iso_agents (id),
            departure_airport text,
            arrival_airport   text,
            departure_date    timestamptz,
            passengers        integer,
            status            public.request_status,
            avinode_trip_id   text,
            avinode_rfp_id    text,
            created_at        timestamptz NOT NULL DEFAULT now(),
            updated_at        timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.requests IS 'What a client asked for. A minimal form made by avinode-ingest; an application brings its own.';
        COMMENT ON COLUMN public.requests.id IS 'The request, as sessions, conversations and quotes refer to it.';
        COMMENT ON COLUMN public.requests.iso_agent_id IS 'The broker who works on it.';
        COMMENT ON COLUMN public.requests.departure_airport IS 'Where from (ICAO or IATA code), for the list of an agent''s sessions.';
        COMMENT ON COLUMN public.requests.arrival_airport IS 'Where to (ICAO or IATA code).';
        COMMENT ON COLUMN public.requests.departure_date IS 'When the client wants to leave.';
        COMMENT ON COLUMN public.requests.passengers IS 'How many fly.';
        COMMENT ON COLUMN public.requests.status IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.requests.avinode_trip_id IS 'The application''s note of the Avinode trip, in any spelling.';
        COMMENT ON COLUMN public.requests.avinode_rfp_id IS 'The application''s note of the Avinode RFP.';
        COMMENT ON COLUMN public.requests.created_at IS 'When the row was made.';
        COMMENT ON COLUMN public.requests.updated_at IS 'When the row was last changed; kept by a trigger.';
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.requests
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

DO $$
BEGIN
    IF to_regclass('public.quotes') IS NULL THEN
        -- No "declined": a declined response has no place in this table.
        IF to_regtype('public.quote_status') IS NULL THEN
            CREATE TYPE public.quote_status AS ENUM ('pending', 'received', 'analyzed', 'accepted', 'rejected', 'expired');
        END IF;
        CREATE TABLE public.quotes (
            id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            request_id           uuid REFERENCES public.requests (id) ON DELETE CASCADE,
            operator_id          text,
            operator_name        text,
            base_price           numeric(12, 2) CHECK (base_price > 0),
            total_price          numeric(12, 2) CHECK (total_price > 0),
            aircraft_type        text,
            aircraft_tail_number text,
            aircraft_details     jsonb,
            valid_until          timestamptz,
            status               public.quote_status,
            metadata             jsonb,
            avinode_quote_id     text,
            received_at          timestamptz,
            decline_reason       text,
            raw_webhook_payload  jsonb,
            created_at           timestamptz NOT NULL DEFAULT now(),
            updated_at           timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.quotes IS
            'Operators'' quotes as the application reads them: a projection of what Avinode told us. A minimal form made by avinode-ingest; an application brings its own.';
        COMMENT ON COLUMN public.quotes.id IS 'The quote, as chat_sessions.primary_quote_id refers to it.';
        COMMENT ON COLUMN public.quotes.request_id IS 'The request that it answers; a quote goes with its request.';
        COMMENT ON COLUMN public.quotes.operator_id IS 'The seller''s id at Avinode.';
        COMMENT ON COLUMN public.quotes.operator_name IS 'The seller''s name.';
        COMMENT ON COLUMN public.quotes.base_price IS 'Above zero, in the currency of the quote; the application has no column for the currency.';
        COMMENT ON COLUMN public.quotes.total_price IS 'Above zero, in the currency of the quote; the application has no column for the currency.';
        COMMENT ON COLUMN public.quotes.aircraft_type IS 'Type or model of the aircraft, for people to read.';
        COMMENT ON COLUMN public.quotes.aircraft_tail_number IS 'Registration, where the seller names it.';
        COMMENT ON COLUMN public.quotes.aircraft_details IS 'The aircraft as the seller describes it.';
        COMMENT ON COLUMN public.quotes.valid_until IS 'The quote expires then; NULL where the seller names no end.';
        COMMENT ON COLUMN public.quotes.status IS 'Shared with the application; what a person set is never overwritten.';
        COMMENT ON COLUMN public.quotes.metadata IS 'What has no column here, such as the currency.';
        COMMENT ON COLUMN public.quotes.avinode_quote_id IS 'Avinode''s id of the quote; NULL for a quote that did not come from Avinode.';
        COMMENT ON COLUMN public.quotes.received_at IS 'When the quote was received.';
        COMMENT ON COLUMN public.quotes.decline_reason IS 'The application''s.';
        COMMENT ON COLUMN public.quotes.raw_webhook_payload IS 'The application''s; the service keeps exact bodies in its own schema.';
        COMMENT ON COLUMN public.quotes.created_at IS 'When the row was made.';
        COMMENT ON COLUMN public.quotes.updated_at IS 'When the row was last changed; kept by a trigger.';
        CREATE INDEX quotes_by_request ON public.quotes (request_id);
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.quotes
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

DO $$
BEGIN
    IF to_regclass('public.conversations') IS NULL THEN
        IF to_regtype('public.conversation_type') IS NULL THEN
            CREATE TYPE public.conversation_type AS ENUM ('client', 'operator', 'internal');
        END IF;
        IF to_regtype('public.conversation_status') IS NULL THEN
            CREATE TYPE public.conversation_status AS ENUM ('active', 'closed', 'archived');
        END IF;
        CREATE TABLE public.conversations (
            id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            request_id uuid REFERENCES public.requests (id),
            quote_id   uuid,
            type       public.conversation_type,
            status     public.conversation_status,
            subject    text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.conversations IS 'Chats of a broker. A minimal form made by avinode-ingest; an application brings its own.';
        COMMENT ON COLUMN public.conversations.id IS 'The conversation. Locking its row is what keeps one active session per conversation.';
        COMMENT ON COLUMN public.conversations.request_id IS 'The request that it is about, once there is one.';
        COMMENT ON COLUMN public.conversations.quote_id IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.conversations.type IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.conversations.status IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.conversations.subject IS 'Shown in the list of an agent''s sessions.';
        COMMENT ON COLUMN public.conversations.created_at IS 'When the row was made.';
        COMMENT ON COLUMN public.conversations.updated_at IS 'When the row was last changed; kept by a trigger.';
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.conversations
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

DO $$
BEGIN
    IF to_regclass('public.proposals') IS NULL THEN
        IF to_regtype('public.proposal_status') IS NULL THEN
            CREATE TYPE public.proposal_status AS ENUM ('draft', 'sent', 'accepted', 'rejected', 'expired');
        END IF;
        CREATE TABLE public.proposals (
            id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            request_id      uuid REFERENCES public.requests (id),
            iso_agent_id    uuid REFERENCES public.iso_agents (id),
            quote_id        uuid REFERENCES public.quotes (id),
            file_name       text,
            file_url        text,
            proposal_number text UNIQUE,
            title           text,
            status          public.proposal_status,
            created_at      timestamptz NOT NULL DEFAULT now(),
            updated_at      timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.proposals IS 'What a broker sends to a client. A minimal form made by avinode-ingest; an application brings its own.';
        COMMENT ON COLUMN public.proposals.id IS 'The proposal, as chat_sessions.proposal_id refers to it.';
        COMMENT ON COLUMN public.proposals.request_id IS 'The request that it answers.';
        COMMENT ON COLUMN public.proposals.iso_agent_id IS 'The broker who made it.';
        COMMENT ON COLUMN public.proposals.quote_id IS 'The quote that it offers.';
        COMMENT ON COLUMN public.proposals.file_name IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.proposals.file_url IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.proposals.proposal_number IS 'The number that people quote.';
        COMMENT ON COLUMN public.proposals.title IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.proposals.status IS 'The application''s; the service does not read it.';
        COMMENT ON COLUMN public.proposals.created_at IS 'When the row was made.';
        COMMENT ON COLUMN public.proposals.updated_at IS 'When the row was last changed; kept by a trigger.';
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.proposals
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

-- A new table in `public` is open to Supabase's roles by default privileges, and through PostgREST to the world.
-- Those made above are closed until somebody opens them on purpose: the owner passes, so does a role with BYPASSRLS.
DO $$
DECLARE
    made record;
    application_role name;
BEGIN
    FOR made IN
        SELECT tgrelid::regclass AS name
        FROM pg_catalog.pg_trigger
        WHERE tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
          AND tgrelid IN (
              'public.iso_agents'::regclass, 'public.requests'::regclass, 'public.quotes'::regclass,
              'public.conversations'::regclass, 'public.proposals'::regclass
          )
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made.name);
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', made.name);
        FOR application_role IN
            SELECT rolname FROM pg_catalog.pg_roles
            WHERE rolname IN ('anon', 'authenticated') AND rolname <> current_user
        LOOP
            EXECUTE format('REVOKE ALL ON TABLE %s FROM %I', made.name, application_role);
        END LOOP;
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO service_role', made.name);
        END IF;
    END LOOP;
END
$$;
