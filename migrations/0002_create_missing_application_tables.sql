-- Creates minimal versions of the application's tables where they do not exist (standalone use), so that chat sessions have
-- rows to refer to. On the database of an application each table exists, and its block does nothing.
--
-- Names and types are the application's. All columns but ids are nullable even where the application is stricter: code that
-- works here has to fill more columns there, and the tests on an attached database hold the code to that.
-- An enum is created only together with its table: the application may use another name for its own.

-- Maintains `updated_at` on the tables in `public` that these migrations create; the application's own tables keep their own
-- triggers.
--
-- A trigger that calls this function also marks a table as created by avinode-ingest. Later files look for the mark where a
-- rule applies to such tables only (row-level security, grants).
CREATE OR REPLACE FUNCTION avinode_ingest.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION avinode_ingest.set_updated_at() IS
    'Trigger: sets updated_at to the start time of the transaction. Marks a table in public as created by avinode-ingest.';

-- A trigger fires without any privilege on its function; creating one requires EXECUTE.
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
        COMMENT ON TABLE public.iso_agents IS 'Brokers. Minimal version created by avinode-ingest for standalone use.';
        COMMENT ON COLUMN public.iso_agents.id IS 'Id of the broker; referenced by sessions, requests and proposals.';
        COMMENT ON COLUMN public.iso_agents.clerk_user_id IS 'Login: equals the claim `sub` of the broker''s token. Row-level security relies on it.';
        COMMENT ON COLUMN public.iso_agents.email IS 'E-mail address of the broker.';
        COMMENT ON COLUMN public.iso_agents.full_name IS 'Display name of the broker.';
        COMMENT ON COLUMN public.iso_agents.role IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.iso_agents.is_active IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.iso_agents.created_at IS 'Time at which the row was inserted.';
        COMMENT ON COLUMN public.iso_agents.updated_at IS 'Time of the last update; maintained by a trigger.';
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
        COMMENT ON TABLE public.requests IS 'Trip requests of clients. Minimal version created by avinode-ingest for standalone use.';
        COMMENT ON COLUMN public.requests.id IS 'Id of the request; referenced by sessions, conversations and quotes.';
        COMMENT ON COLUMN public.requests.iso_agent_id IS 'Broker who handles the request.';
        COMMENT ON COLUMN public.requests.departure_airport IS 'ICAO or IATA code; shown in the list of an agent''s sessions.';
        COMMENT ON COLUMN public.requests.arrival_airport IS 'ICAO or IATA code; shown in the list of an agent''s sessions.';
        COMMENT ON COLUMN public.requests.departure_date IS 'Departure time that the client asked for.';
        COMMENT ON COLUMN public.requests.passengers IS 'Number of passengers.';
        COMMENT ON COLUMN public.requests.status IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.requests.avinode_trip_id IS 'Id of the Avinode trip as the application stores it, in any spelling.';
        COMMENT ON COLUMN public.requests.avinode_rfp_id IS 'Id of the Avinode RFP as the application stores it.';
        COMMENT ON COLUMN public.requests.created_at IS 'Time at which the row was inserted.';
        COMMENT ON COLUMN public.requests.updated_at IS 'Time of the last update; maintained by a trigger.';
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.requests
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

DO $$
BEGIN
    IF to_regclass('public.quotes') IS NULL THEN
        -- There is no status "declined": a declined RFQ has no row in this table.
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
            'Operators'' quotes as the application reads them: a projection of the quote facts. Minimal version created by avinode-ingest for standalone use.';
        COMMENT ON COLUMN public.quotes.id IS 'Id of the row; referenced by chat_sessions.primary_quote_id.';
        COMMENT ON COLUMN public.quotes.request_id IS 'Request that the quote answers; deleting the request deletes the quote.';
        COMMENT ON COLUMN public.quotes.operator_id IS 'Avinode''s id of the seller.';
        COMMENT ON COLUMN public.quotes.operator_name IS 'Display name of the seller.';
        COMMENT ON COLUMN public.quotes.base_price IS 'Greater than zero, in the currency of the quote; the application has no column for the currency.';
        COMMENT ON COLUMN public.quotes.total_price IS 'Greater than zero, in the currency of the quote; the application has no column for the currency.';
        COMMENT ON COLUMN public.quotes.aircraft_type IS 'Display name of the aircraft''s type or model.';
        COMMENT ON COLUMN public.quotes.aircraft_tail_number IS 'Registration of the aircraft, if the seller states it.';
        COMMENT ON COLUMN public.quotes.aircraft_details IS 'Description of the aircraft by the seller.';
        COMMENT ON COLUMN public.quotes.valid_until IS 'Time at which the quote expires; NULL if the seller states none.';
        COMMENT ON COLUMN public.quotes.status IS 'Written by the application and the service; a status set by a person is never overwritten.';
        COMMENT ON COLUMN public.quotes.metadata IS 'Attributes without a column of their own, such as the currency.';
        COMMENT ON COLUMN public.quotes.avinode_quote_id IS 'Avinode''s id of the quote; NULL for a quote from elsewhere.';
        COMMENT ON COLUMN public.quotes.received_at IS 'Time at which the quote was received.';
        COMMENT ON COLUMN public.quotes.decline_reason IS 'Owned by the application.';
        COMMENT ON COLUMN public.quotes.raw_webhook_payload IS 'Owned by the application; the service stores exact bodies in its own schema.';
        COMMENT ON COLUMN public.quotes.created_at IS 'Time at which the row was inserted.';
        COMMENT ON COLUMN public.quotes.updated_at IS 'Time of the last update; maintained by a trigger.';
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
        COMMENT ON TABLE public.conversations IS 'Chats of a broker. Minimal version created by avinode-ingest for standalone use.';
        COMMENT ON COLUMN public.conversations.id IS 'Id of the conversation. The row is locked to keep at most one active session per conversation.';
        COMMENT ON COLUMN public.conversations.request_id IS 'Request that the conversation is about; NULL until there is one.';
        COMMENT ON COLUMN public.conversations.quote_id IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.conversations.type IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.conversations.status IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.conversations.subject IS 'Shown in the list of an agent''s sessions.';
        COMMENT ON COLUMN public.conversations.created_at IS 'Time at which the row was inserted.';
        COMMENT ON COLUMN public.conversations.updated_at IS 'Time of the last update; maintained by a trigger.';
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
        COMMENT ON TABLE public.proposals IS 'Proposals that brokers send to clients. Minimal version created by avinode-ingest for standalone use.';
        COMMENT ON COLUMN public.proposals.id IS 'Id of the proposal; referenced by chat_sessions.proposal_id.';
        COMMENT ON COLUMN public.proposals.request_id IS 'Request that the proposal answers.';
        COMMENT ON COLUMN public.proposals.iso_agent_id IS 'Broker who created the proposal.';
        COMMENT ON COLUMN public.proposals.quote_id IS 'Quote that the proposal offers.';
        COMMENT ON COLUMN public.proposals.file_name IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.proposals.file_url IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.proposals.proposal_number IS 'Number of the proposal in correspondence.';
        COMMENT ON COLUMN public.proposals.title IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.proposals.status IS 'Owned by the application; the service does not read it.';
        COMMENT ON COLUMN public.proposals.created_at IS 'Time at which the row was inserted.';
        COMMENT ON COLUMN public.proposals.updated_at IS 'Time of the last update; maintained by a trigger.';
        CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.proposals
            FOR EACH ROW EXECUTE FUNCTION avinode_ingest.set_updated_at();
    END IF;
END
$$;

-- Default privileges open a new table in `public` to Supabase's roles, and PostgREST opens it to the internet.
-- The tables created above stay closed until an admin grants access: only the owner and roles with BYPASSRLS get through.
DO $$
DECLARE
    created record;
    application_role name;
BEGIN
    FOR created IN
        SELECT tgrelid::regclass AS name
        FROM pg_catalog.pg_trigger
        WHERE tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
          AND tgrelid IN (
              'public.iso_agents'::regclass, 'public.requests'::regclass, 'public.quotes'::regclass,
              'public.conversations'::regclass, 'public.proposals'::regclass
          )
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', created.name);
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', created.name);
        FOR application_role IN
            SELECT rolname FROM pg_catalog.pg_roles
            WHERE rolname IN ('anon', 'authenticated') AND rolname <> current_user
        LOOP
            EXECUTE format('REVOKE ALL ON TABLE %s FROM %I', created.name, application_role);
        END LOOP;
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO service_role', created.name);
        END IF;
    END LOOP;
END
$$;
