-- What stands around the data of an answer differs each time, and is no news.
COMMENT ON COLUMN avinode_ingest.documents.fetch_count IS 'How often in a row the same was returned; the times and the body are those of the last.';
COMMENT ON COLUMN avinode_ingest.documents.digest IS 'SHA-256 of what it says: of its data, in the order of its names.';
COMMENT ON COLUMN avinode_ingest.documents.notified IS 'Not written any more; to be dropped once no program of before runs.';
