-- no-transaction
-- Finds the outcomes past their retention. Rows arrive in this order, so an insert adds to the last page of the index. It replaces
-- a BRIN index: once new rows fill the pages of deleted ones, a range of pages has old and new times, and every range is read.
CREATE INDEX CONCURRENTLY IF NOT EXISTS outcomes_by_finish
    ON avinode_ingest.outcomes (finished_at);
