-- Run after state_t.sql: sessions are rows of requests, and messages belong to them.
CREATE TYPE public.session_status AS ENUM ('active', 'paused', 'completed', 'archived');

ALTER TABLE public.requests
    ADD COLUMN session_status public.session_status DEFAULT 'active',
    ADD COLUMN current_step text,
    ADD COLUMN workflow_state jsonb DEFAULT '{}',
    ADD COLUMN quotes_received integer DEFAULT 0,
    ADD COLUMN quotes_expected integer DEFAULT 0,
    ADD COLUMN message_count integer DEFAULT 0,
    ADD COLUMN last_activity_at timestamptz DEFAULT now(),
    ADD COLUMN primary_quote_id uuid REFERENCES public.quotes (id) ON DELETE SET NULL,
    ADD COLUMN subject text;
ALTER TABLE public.requests RENAME COLUMN avinode_rfp_id TO avinode_rfq_id;

CREATE TABLE public.messages (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id uuid NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    content    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION public.count_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.requests SET message_count = message_count + 1, last_activity_at = now() WHERE id = NEW.request_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_message AFTER INSERT ON public.messages FOR EACH ROW EXECUTE FUNCTION public.count_message();
