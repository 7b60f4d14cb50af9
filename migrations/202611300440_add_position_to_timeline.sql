-- The order of the entries of all timelines, for streams of events. A column without a value for existing rows: those are older than every
-- position. nextval() locks the sequence until the end of its transaction, so pg_locks shows the transactions that have drawn a
-- position and are not visible yet.
CREATE SEQUENCE IF NOT EXISTS avinode_ingest.timeline_positions AS bigint;
COMMENT ON SEQUENCE avinode_ingest.timeline_positions IS 'Positions of timeline entries in the order in which they were inserted.';
ALTER TABLE avinode_ingest.timeline ADD COLUMN IF NOT EXISTS position bigint;
ALTER TABLE avinode_ingest.timeline ALTER COLUMN position SET DEFAULT nextval('avinode_ingest.timeline_positions');
COMMENT ON COLUMN avinode_ingest.timeline.position IS 'Position among the entries of all sessions: ascending, with gaps; NULL for entries from before there were positions.';

-- A role of the service that exists already.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT quote_ident(pg_get_userbyid(acl.grantee)) AS role
        FROM pg_catalog.pg_class AS class CROSS JOIN LATERAL aclexplode(class.relacl) AS acl
        WHERE class.oid = 'avinode_ingest.timeline'::regclass AND acl.privilege_type = 'INSERT'
            AND acl.grantee NOT IN (0, class.relowner)
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE avinode_ingest.timeline_positions TO %s', granted.role);
    END LOOP;
END
$$;
