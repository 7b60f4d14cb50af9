-- no-transaction
DROP INDEX CONCURRENTLY IF EXISTS avinode_ingest.rfqs_normal_id;
