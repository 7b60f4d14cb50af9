-- no-transaction
-- Replaced by outcomes_by_finish, which serves programs before this file as well.
DROP INDEX CONCURRENTLY IF EXISTS avinode_ingest.outcomes_finished;
