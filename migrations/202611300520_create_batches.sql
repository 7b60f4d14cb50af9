-- Actions on many jobs or deliveries, which are selected by a filter and changed in steps. A step commits its changes with the position
-- and the counts, so that a step is never repeated.
CREATE TABLE IF NOT EXISTS avinode_ingest.batches (
    id uuid PRIMARY KEY,
    actor text NOT NULL,
    action text NOT NULL CONSTRAINT batches_action CHECK (action IN ('retry', 'discard', 'replay')),
    filter jsonb NOT NULL,
    note text,
    dry_run boolean NOT NULL DEFAULT false,
    row_limit bigint NOT NULL,
    state text NOT NULL CONSTRAINT batches_state CHECK (state IN ('running', 'interrupted', 'finished', 'failed')),
    position jsonb,
    selected bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    result jsonb NOT NULL DEFAULT '{}',
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
COMMENT ON TABLE avinode_ingest.batches IS 'Actions of admins on many jobs or deliveries, selected by a filter. Pruned by age with the audit log.';
COMMENT ON COLUMN avinode_ingest.batches.id IS 'Id of the batch, and of its run in the audit log.';
COMMENT ON COLUMN avinode_ingest.batches.actor IS 'Who began it: cli:USER@HOST or token:NAME.';
COMMENT ON COLUMN avinode_ingest.batches.action IS 'retry or discard (jobs), or replay (deliveries).';
COMMENT ON COLUMN avinode_ingest.batches.filter IS 'Filter of the selection. Its text is deleted when the batch is finished.';
COMMENT ON COLUMN avinode_ingest.batches.note IS 'Statement of the admin why it is done.';
COMMENT ON COLUMN avinode_ingest.batches.dry_run IS 'True if the batch only counts.';
COMMENT ON COLUMN avinode_ingest.batches.row_limit IS 'Maximum number of selected rows.';
COMMENT ON COLUMN avinode_ingest.batches.state IS 'running (also of a process that was killed), interrupted, finished or failed. All but finished can be resumed.';
COMMENT ON COLUMN avinode_ingest.batches.position IS 'Last row that was selected: the next step begins after it. NULL before the first step.';
COMMENT ON COLUMN avinode_ingest.batches.selected IS 'Rows that were selected so far.';
COMMENT ON COLUMN avinode_ingest.batches.changed IS 'Rows that were changed; of a dry run those that would be.';
COMMENT ON COLUMN avinode_ingest.batches.skipped IS 'Rows in a state that allows or needs no change.';
COMMENT ON COLUMN avinode_ingest.batches.failed IS 'Rows that could not be changed: the delivery is redacted or deleted.';
COMMENT ON COLUMN avinode_ingest.batches.result IS 'Sessions that a dry run of a replay would change, and the error of a failed batch.';
COMMENT ON COLUMN avinode_ingest.batches.begun_at IS 'Time of the beginning. Rows that were inserted later are not selected.';
COMMENT ON COLUMN avinode_ingest.batches.finished_at IS 'Time of the end; NULL before.';
CREATE INDEX IF NOT EXISTS batches_by_age ON avinode_ingest.batches (begun_at);

-- A role of the service that exists already.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT quote_ident(pg_get_userbyid(acl.grantee)) AS role
        FROM pg_catalog.pg_class AS class CROSS JOIN LATERAL aclexplode(class.relacl) AS acl
        WHERE class.oid = 'avinode_ingest.deliveries'::regclass AND acl.privilege_type = 'DELETE'
            AND acl.grantee NOT IN (0, class.relowner)
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON avinode_ingest.batches TO %s', granted.role);
    END LOOP;
END
$$;
