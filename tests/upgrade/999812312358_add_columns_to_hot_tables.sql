-- A migration that expands, of a release that does not exist: scripts/check-upgrade builds the next program with the files of this folder.
-- Columns of the tables that every delivery writes, with and without a default, and one of the application's.
ALTER TABLE avinode_ingest.jobs ADD COLUMN upgrade_check text NOT NULL DEFAULT 'none';
ALTER TABLE avinode_ingest.outcomes ADD COLUMN upgrade_check timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE avinode_ingest.deliveries ADD COLUMN upgrade_check text;
ALTER TABLE avinode_ingest.quote_facts ADD COLUMN upgrade_check text;
ALTER TABLE public.chat_sessions ADD COLUMN IF NOT EXISTS upgrade_check text;
CREATE TABLE avinode_ingest.upgrade_check (id bigint PRIMARY KEY);
