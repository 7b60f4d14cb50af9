-- no-transaction
-- getUserActiveChatSessions in its order, with the id as tie-breaker of a page; and the filter of row-level security. A query of
-- an agent's own uses the first column only, because the comparison of an enum must not run before a policy.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_agent
    ON public.chat_sessions (iso_agent_id, status, last_activity_at DESC, id DESC);
