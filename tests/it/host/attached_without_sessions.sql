-- Run after attached.sql: the same application before it had session tracking, and before it kept Avinode's quote ids.
DROP TABLE public.chat_sessions;
DROP TYPE public.chat_session_status;
DROP FUNCTION public.archive_old_chat_sessions();
ALTER TABLE public.quotes DROP COLUMN avinode_quote_id;
