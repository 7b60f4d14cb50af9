-- no-transaction
-- What archive_old_chat_sessions() asks: completed sessions by their end. Archived ones leave the index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_end
    ON public.chat_sessions (session_ended_at) WHERE status = 'completed';
