-- One resource that fails again and again must not hold up all others: failures in a row open the breaker where they are of
-- different keys.
ALTER TABLE avinode_ingest.limiters ADD COLUMN IF NOT EXISTS failed_key text;

COMMENT ON COLUMN avinode_ingest.limiters.failed_key IS 'The key whose call failed last: failing again it counts for nothing. Null where none has failed since the last success.';
COMMENT ON COLUMN avinode_ingest.limiters.failures IS 'Calls that failed in a row, as a server does that is down, each of another key than the one before.';
