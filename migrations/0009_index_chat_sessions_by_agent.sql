-- no-transaction
-- getUserActiveChatSessions in its order; the id makes a page's end exact. Also what row-level security filters by;
-- for an agent's own query only the first column helps, for the comparison of an enum may not run before a policy.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_agent
    ON public.chat_sessions (iso_agent_id, status, last_activity_at DESC, id DESC);
