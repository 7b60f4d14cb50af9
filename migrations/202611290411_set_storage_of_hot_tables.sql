-- Storage parameters, table by table. An update that changes no indexed column stays on its page (HOT) where the page has room for
-- another version of the row: it writes no index, and the old version is removed by the next reader of the page. fillfactor
-- leaves that room on new pages; existing pages get it as they are rewritten. SET takes SHARE UPDATE EXCLUSIVE.
--
-- Vacuum by share of a table waits the longer the larger the table is: 20 % of ten million event keys are two million dead rows. A
-- fixed number of rows keeps the work of each run the same.

-- jobs: as 0023 says. fillfactor 70 is for the row's second version: a claim changes due_at, which is indexed, so the update is not
-- HOT, but the new version is on the same page. With statistics by number, as 0023 has them, no further change.

-- quote_facts: inserted, then updated by the projection (projected_id: indexed, not HOT), by each newer price, and by declines (HOT).
-- Rows are 0.5 to 2 kB: with 20 % free there is room for one version of a row.
ALTER TABLE avinode_ingest.quote_facts SET (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05
);
-- trips: updated with each event (last activity, status); only merged_into is indexed. Rows are below 200 bytes: 30 % is room for
-- about a dozen versions on a page.
ALTER TABLE avinode_ingest.trips SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05
);
-- rfqs: updated once or twice (sent, declined).
ALTER TABLE avinode_ingest.rfqs SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
-- session_state: updated with each event of a session (timeline_seq). Only the primary key is indexed: every update can be HOT.
ALTER TABLE avinode_ingest.session_state SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
-- documents: updated when a fetch shows what is known (stored_at, indexed), or the document is applied; bodies are TOASTed.
ALTER TABLE avinode_ingest.documents SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
-- leader_leases: a handful of rows, updated every two seconds. One page must hold the versions between two vacuums.
ALTER TABLE avinode_ingest.leader_leases SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500
);

-- Inserted once and deleted in order of age: no room for updates is needed. Vacuum after deletions returns pages to new rows, so
-- that a table ends at the size of its retention; vacuum after insertions freezes rows while their pages are in memory, and marks
-- pages as all-visible for index-only scans.
ALTER TABLE avinode_ingest.outcomes SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE avinode_ingest.event_keys SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE avinode_ingest.timeline SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0.05
);
-- ledger and messages: inserted once and never deleted but with their session; read by key.
ALTER TABLE avinode_ingest.ledger SET (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE avinode_ingest.messages SET (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000
);
