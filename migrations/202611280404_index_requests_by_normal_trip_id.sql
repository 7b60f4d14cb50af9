-- no-transaction
-- Matches the requests of sessions without a trip id of their own to trips. Partial: equality excludes NULL.
CREATE INDEX CONCURRENTLY IF NOT EXISTS requests_normal_trip_id
    ON public.requests (avinode_ingest.normal_trip_id(avinode_trip_id))
    WHERE avinode_ingest.normal_trip_id(avinode_trip_id) IS NOT NULL;
