-- Whoever has things fetched anew waits for what came of that, and not for what others have to do meanwhile.
ALTER TABLE avinode_ingest.jobs ADD COLUMN IF NOT EXISTS runs uuid[];
ALTER TABLE avinode_ingest.outcomes ADD COLUMN IF NOT EXISTS runs uuid[];

COMMENT ON COLUMN avinode_ingest.jobs.runs IS 'The runs of a command that wait for it: they asked for it, or for a job of its kind that it follows from. Null where nobody waits.';
COMMENT ON COLUMN avinode_ingest.outcomes.runs IS 'The runs of a command that waited for it.';
COMMENT ON COLUMN avinode_ingest.outcomes.outcome IS 'applied, duplicate, nothing, gone (the resource is not at Avinode any more), dead or discarded.';
