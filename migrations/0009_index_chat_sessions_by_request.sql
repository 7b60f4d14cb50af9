-- no-transaction
-- getChatSessionByRequest, and the foreign key's action when a request is deleted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_request
    ON public.chat_sessions (request_id) WHERE request_id IS NOT NULL;
