-- no-transaction
-- The keys that somebody is serving at the moment: a claim of whole keys passes over them, and so over however many jobs wait
-- for one of them. Partial: jobs without a key (events) and jobs that nobody holds are not in it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS jobs_leased_keys
    ON avinode_ingest.jobs (kind, key)
    WHERE lease_token IS NOT NULL AND key IS NOT NULL;
