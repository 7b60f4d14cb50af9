-- no-transaction
-- Finds the rows that record that a resource was fetched, after its body was deleted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS documents_without_body
    ON avinode_ingest.documents (stored_at)
    WHERE body IS NULL;
