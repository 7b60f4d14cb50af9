-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS outcomes_upgrade_check ON avinode_ingest.outcomes (upgrade_check);
