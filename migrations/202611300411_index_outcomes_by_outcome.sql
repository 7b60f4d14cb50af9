-- no-transaction
-- Lists deliveries by outcome. Most are applied, and are found without it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS outcomes_by_outcome
    ON avinode_ingest.outcomes (outcome, delivery_id)
    WHERE outcome <> 'applied' AND delivery_id IS NOT NULL;
