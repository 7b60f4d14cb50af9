-- no-transaction
-- For the list of the actions of one actor, who may have few rows of many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_by_actor ON avinode_ingest.audit (actor, id DESC);
