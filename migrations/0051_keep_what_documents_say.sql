-- A document is fetched again and again and mostly says what is known; and each kind of document says a part of a quote. So
-- beside the newest fact, what was said is kept: each distinct thing once, with when it was said first and last.
ALTER TABLE avinode_ingest.quote_facts ADD COLUMN history jsonb;
COMMENT ON COLUMN avinode_ingest.quote_facts.history IS 'What events and documents said, where documents said anything; null where the columns beside it are all there is. They hold what it amounts to.';

ALTER TABLE avinode_ingest.trips ADD COLUMN status_first_seen_at timestamptz;
COMMENT ON COLUMN avinode_ingest.trips.status_first_seen_at IS 'The earliest time by which a document showed a status. status_at moves with every fetch that shows it again.';
