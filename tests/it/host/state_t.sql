-- Run after attached.sql: the application drops its session tracking, without CASCADE, whether the service is attached or not.
DROP TABLE public.chat_sessions;
DROP TABLE public.conversations;
DROP TYPE public.chat_session_status;
DROP TYPE public.conversation_type;
DROP TYPE public.conversation_status;
