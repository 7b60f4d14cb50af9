-- Declares which older programs may run on the schema. A program knows the migrations up to some version; an older program than the
-- schema runs on it, unless the version here is higher than the last one that it knows. The migration that removes what older programs
-- use (a contraction) raises the version to the first one that does without:
--
--     UPDATE avinode_ingest.compatibility SET oldest_migration = 202701311530;
CREATE TABLE avinode_ingest.compatibility (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    oldest_migration bigint NOT NULL
);
COMMENT ON TABLE avinode_ingest.compatibility IS 'The oldest program that may run on this schema. One row.';
COMMENT ON COLUMN avinode_ingest.compatibility.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN avinode_ingest.compatibility.oldest_migration IS
    'A program must know the migrations up to this version. Raised by a migration that removes what older programs use.';
INSERT INTO avinode_ingest.compatibility (oldest_migration) VALUES (0);
