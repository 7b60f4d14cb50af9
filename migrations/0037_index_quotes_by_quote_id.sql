-- no-transaction
-- The application's row of a quote is looked for by Avinode's id without white space around it, as it was when the ledger was
-- filled at first attach: otherwise a pasted id would not be found, and the quote be shown twice.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quotes_by_quote_id
    ON public.quotes USING hash (avinode_ingest.btrim_all(avinode_quote_id));
