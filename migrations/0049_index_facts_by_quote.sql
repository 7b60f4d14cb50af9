-- no-transaction
-- The trip of a document that names a quote and no trip.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quotes_by_id ON avinode_ingest.quotes (quote_id);
