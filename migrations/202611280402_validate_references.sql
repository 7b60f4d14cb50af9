-- Validates the references that 202611280401 replaced. Takes no lock that a write waits for.
DO $$
DECLARE
    reference record;
BEGIN
    FOR reference IN
        SELECT conname, conrelid::regclass AS referring
        FROM pg_catalog.pg_constraint
        WHERE contype = 'f' AND confdeltype = 'n' AND NOT convalidated
          AND conname IN (
              'requests_iso_agent_id_fkey', 'conversations_request_id_fkey', 'proposals_request_id_fkey',
              'proposals_iso_agent_id_fkey', 'proposals_quote_id_fkey'
          )
          AND conrelid IN (
              SELECT tgrelid FROM pg_catalog.pg_trigger WHERE tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
          )
        ORDER BY 2, 1
    LOOP
        EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', reference.referring, reference.conname);
    END LOOP;
END
$$;
