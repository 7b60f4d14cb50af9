-- no-transaction
-- For the list of one action, of which there may be few rows of many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_by_action ON avinode_ingest.audit (action, id DESC);
