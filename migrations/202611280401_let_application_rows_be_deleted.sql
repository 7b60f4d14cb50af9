-- The tables of an application that these migrations created refer to each other as in 0002, without an action: a row that is
-- referred to could not be deleted. From now on a reference to a deleted row becomes NULL.
--
-- Tables and constraints of an application's own are left alone, as is a column that an admin made NOT NULL. 202611280402
-- validates the new constraints: a check of all rows here would block writes to both tables.
DO $$
DECLARE
    reference record;
BEGIN
    FOR reference IN
        SELECT conname, conrelid::regclass AS referring, confrelid::regclass AS referred, attname
        FROM pg_catalog.pg_constraint
        JOIN pg_catalog.pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
        WHERE contype = 'f' AND confdeltype IN ('a', 'r') AND cardinality(conkey) = 1 AND NOT attnotnull
          AND (conrelid::regclass::text, conname::text) IN (
              SELECT ('public.' || relation)::regclass::text, relation || '_' || attribute || '_fkey'
              FROM (VALUES
                  ('requests', 'iso_agent_id'), ('conversations', 'request_id'), ('proposals', 'request_id'),
                  ('proposals', 'iso_agent_id'), ('proposals', 'quote_id')
              ) AS created (relation, attribute)
              WHERE to_regclass('public.' || relation) IS NOT NULL
          )
          -- The mark of a table that these migrations created: see 0002.
          AND conrelid IN (
              SELECT tgrelid FROM pg_catalog.pg_trigger WHERE tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
          )
        ORDER BY 2, 1
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (id)
                        ON DELETE SET NULL NOT VALID',
                       reference.referring, reference.conname, reference.conname, reference.attname, reference.referred);
    END LOOP;
END
$$;
