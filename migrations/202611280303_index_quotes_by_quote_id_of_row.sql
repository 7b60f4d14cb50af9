-- no-transaction
-- Finds the row to project a quote into, by the id in its column or in its metadata.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quotes_by_row_quote_id
    ON public.quotes USING hash (avinode_ingest.row_quote_id(avinode_quote_id, metadata));
