-- no-transaction
-- Finds the row of a quote by the id as it is written. Not unique: an application may have two rows with one id. Redundant where the
-- application has an index on this column; a file without a transaction holds one statement, so it cannot check first.
-- A hash index, here and on the other texts of the application: its entries have a fixed size, while a text too long for a B-tree
-- entry would make the application's write fail.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quotes_by_avinode_quote_id
    ON public.quotes USING hash (avinode_quote_id) WHERE avinode_quote_id IS NOT NULL;
