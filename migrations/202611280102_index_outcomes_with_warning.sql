-- no-transaction
-- Outcomes with a warning, for check. Partial: nearly all outcomes have none.
CREATE INDEX CONCURRENTLY IF NOT EXISTS outcomes_with_warning
    ON avinode_ingest.outcomes (finished_at)
    WHERE warning IS NOT NULL;
