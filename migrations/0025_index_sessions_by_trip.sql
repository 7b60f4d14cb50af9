-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_normal_trip_id ON public.chat_sessions (avinode_ingest.normal_trip_id(avinode_trip_id));
