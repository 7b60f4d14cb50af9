-- Keeps `updated_at` on the tables in `public` that we make; the application's own tables keep their own triggers.
--
-- A trigger that calls this function is also the mark of a table made by us: later files ask for it where the rule
-- is "only on a table of ours" (row-level security, grants).
CREATE OR REPLACE FUNCTION avinode_ingest.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION avinode_ingest.set_updated_at() IS
    'Trigger: the row''s updated_at becomes the time of the transaction. Its presence marks a table in public as made by avinode-ingest.';

-- Firing a trigger asks for no right on its function; only making one does.
REVOKE ALL ON FUNCTION avinode_ingest.set_updated_at() FROM PUBLIC;
