-- no-transaction
-- archive_old_chat_sessions(): completed sessions by their end. Archiving a session removes it from the index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_end
    ON public.chat_sessions (session_ended_at) WHERE status = 'completed';
