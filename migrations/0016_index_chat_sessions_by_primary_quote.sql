-- no-transaction
-- Sessions with a primary quote, and the foreign key's action when quotes are deleted with their request.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_primary_quote
    ON public.chat_sessions (primary_quote_id) WHERE primary_quote_id IS NOT NULL;
