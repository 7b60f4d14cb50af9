-- no-transaction
-- getActiveChatSession. A conversation has few sessions, so status and activity are read from the rows.
-- Here and in the files that follow, an index of the application on the same column is not checked for: a file without a
-- transaction holds one statement.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_conversation
    ON public.chat_sessions (conversation_id);
