-- no-transaction
-- getChatSessionsByTripId of the application, by the id as it is written. The service compares normal forms (0018).
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_trip
    ON public.chat_sessions USING hash (avinode_trip_id) WHERE avinode_trip_id IS NOT NULL;
