-- no-transaction
-- Retention reads trips by age. Not by last_activity_at, which every event changes: such an update would write this index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS trips_by_age ON avinode_ingest.trips (first_seen_at) WHERE merged_into IS NULL;
