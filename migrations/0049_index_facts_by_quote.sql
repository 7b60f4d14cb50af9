-- no-transaction
-- The trip of a document that names a quote and no trip.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quote_facts_by_quote_id ON avinode_ingest.quote_facts (quote_id);
