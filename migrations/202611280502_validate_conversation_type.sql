-- Validates the check of 202611280500, without blocking writes.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_constraint
        WHERE conrelid = 'public.chat_sessions'::regclass AND conname = 'chat_sessions_conversation_type_check' AND NOT convalidated
            AND EXISTS (
                SELECT FROM pg_catalog.pg_trigger
                WHERE tgrelid = conrelid AND tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure AND tgname = 'set_updated_at'
            )
    ) THEN
        ALTER TABLE public.chat_sessions VALIDATE CONSTRAINT chat_sessions_conversation_type_check;
    END IF;
END
$$;
