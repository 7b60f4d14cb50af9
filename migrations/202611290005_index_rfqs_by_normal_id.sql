-- no-transaction
-- In place of rfqs_normal_id. Its second column was trip_key: where the statistics are those of an empty table, the planner also
-- read the RFQs of one trip by it, and with them the entries of all trips. The expression is never compared but by the look-ups
-- that are meant.
CREATE INDEX CONCURRENTLY IF NOT EXISTS rfqs_by_normal_id
    ON avinode_ingest.rfqs (avinode_ingest.normal_rfq_id(rfq_id), (trip_key || ''));
