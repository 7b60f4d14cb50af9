-- A batch updates many rows of a page before the old versions can be removed, and a transaction elsewhere may keep them longer: half
-- of a page is for the second version of each row. Safe to apply again.
ALTER TABLE avinode_ingest.session_state SET (fillfactor = 50);
ALTER TABLE avinode_ingest.trips SET (fillfactor = 50);
