-- no-transaction
-- getActiveChatSession: a conversation has few sessions, so their status and activity are read from the rows.
-- An index of the application's on the same column is not looked for, here and in the files that follow: a file without a
-- transaction holds one statement.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_conversation
    ON public.chat_sessions (conversation_id);
