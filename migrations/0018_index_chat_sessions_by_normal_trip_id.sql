-- no-transaction
-- Matches sessions to trips. Not a partial index: the planner cannot infer that equality with a normal form excludes sessions
-- without a trip id, and would scan the whole table.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_normal_trip_id
    ON public.chat_sessions (avinode_ingest.normal_trip_id(avinode_trip_id));
