-- Reads the table without blocking reads or writes.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_constraint
        WHERE conrelid = 'avinode_ingest.deliveries'::regclass AND conname = 'deliveries_bound'
    ) THEN
        ALTER TABLE avinode_ingest.deliveries VALIDATE CONSTRAINT deliveries_bound;
    END IF;
END
$$;
