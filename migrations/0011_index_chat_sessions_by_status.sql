-- no-transaction
-- Lists and counts of active sessions, latest activity first; most sessions are not active.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_status
    ON public.chat_sessions (status, last_activity_at DESC, id DESC);
