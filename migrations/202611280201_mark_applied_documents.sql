-- A document is stored before it is applied. One whose job died in between must be distinguishable, so that a reconciliation
-- fetches it again. Documents of earlier releases, and of a release that is rolled back, count as applied.
ALTER TABLE avinode_ingest.documents ADD COLUMN IF NOT EXISTS applied boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN avinode_ingest.documents.applied IS 'False until the transaction that applies the document commits.';
