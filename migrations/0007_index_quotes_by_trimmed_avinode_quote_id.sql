-- no-transaction
-- Finds the row to project a quote into. Trimmed, as the ids in the ledger are: a row whose id was pasted with white space would
-- not be found otherwise, and the quote would be shown twice.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quotes_by_quote_id
    ON public.quotes USING hash (avinode_ingest.btrim_all(avinode_quote_id));
