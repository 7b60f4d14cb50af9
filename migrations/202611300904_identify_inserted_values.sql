-- A publication of all tables, as change data capture makes it, refuses deletions from a table without a key.
ALTER TABLE avinode_ingest.inserted_values REPLICA IDENTITY FULL;
