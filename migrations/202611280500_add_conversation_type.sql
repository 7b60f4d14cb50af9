-- Adds the type of a conversation to a chat_sessions that this service created, as applications have it. The table of an
-- application is left as it is: the application adds the column when it needs it.
--
-- The table is ours where our function maintains updated_at. A constant default rewrites no row, and NOT VALID scans none.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid = 'public.chat_sessions'::regclass AND tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
            AND tgname = 'set_updated_at'
    ) THEN
        ALTER TABLE public.chat_sessions ADD COLUMN IF NOT EXISTS conversation_type text DEFAULT 'general';
        IF NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint
            WHERE conrelid = 'public.chat_sessions'::regclass AND conname = 'chat_sessions_conversation_type_check'
        ) THEN
            ALTER TABLE public.chat_sessions ADD CONSTRAINT chat_sessions_conversation_type_check
                CHECK (conversation_type IN ('flight_request', 'general')) NOT VALID;
        END IF;
        COMMENT ON COLUMN public.chat_sessions.conversation_type IS 'flight_request or general; written by the application.';
    END IF;
END
$$;
