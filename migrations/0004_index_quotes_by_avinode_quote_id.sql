-- no-transaction
-- Every projected quote is looked up by Avinode's id. Not unique: an application may hold two rows of one id already.
-- Beside an index of the application's own on this column it is one small index too many; a file without a transaction
-- holds one statement, so it cannot look first.
-- A hash index, here and for the other texts of the application's: its entries have one size, where a text too long for
-- an entry of a B-tree would make the application's write fail.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quotes_by_avinode_quote_id
    ON public.quotes USING hash (avinode_quote_id) WHERE avinode_quote_id IS NOT NULL;
