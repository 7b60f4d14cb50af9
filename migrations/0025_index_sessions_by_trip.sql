-- no-transaction
-- Every match looks sessions up by the normal form. Not a partial index: the planner cannot tell that a normal form asked for
-- excludes sessions without a trip id, and would read the whole table.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_normal_trip_id
    ON public.chat_sessions (avinode_ingest.normal_trip_id(avinode_trip_id));
