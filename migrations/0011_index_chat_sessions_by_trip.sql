-- no-transaction
-- getChatSessionsByTripId as the application asks, by the text as written. The service compares the normal form.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_trip
    ON public.chat_sessions USING hash (avinode_trip_id) WHERE avinode_trip_id IS NOT NULL;
