-- session_state has two columns more than when its fillfactor was chosen, and a batch updates many rows of a page before the old
-- versions can be removed: half of a page is for the second version of each row. Safe to apply again.
ALTER TABLE avinode_ingest.session_state SET (fillfactor = 50);
ALTER TABLE avinode_ingest.trips SET (fillfactor = 50);
