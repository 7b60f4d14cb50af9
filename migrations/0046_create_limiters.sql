-- How often something outside may be called, by all workers of all processes together. One row a thing; the row is also the
-- lock under which jobs that need a slot are claimed.
CREATE TABLE avinode_ingest.limiters (
    name text PRIMARY KEY,
    per_second double precision NOT NULL CHECK (per_second > 0),
    burst integer NOT NULL CHECK (burst > 0),
    caller text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    full_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    slow_until timestamptz,
    paused_until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    opened integer NOT NULL DEFAULT 0,
    open_until timestamptz,
    probing_until timestamptz,
    stops integer NOT NULL DEFAULT 0,
    stopped_until timestamptz,
    stopped_because text,
    stopped_caller text
) WITH (fillfactor = 50); -- one row, written with each claim

COMMENT ON TABLE avinode_ingest.limiters IS 'Rate limits and circuit breakers shared by all workers, by the database''s clock.';
COMMENT ON COLUMN avinode_ingest.limiters.name IS 'What is limited: `avinode`, the calls of its API.';
COMMENT ON COLUMN avinode_ingest.limiters.per_second IS 'Calls a second in the long run, as the process that started last was told.';
COMMENT ON COLUMN avinode_ingest.limiters.burst IS 'Calls at once after a pause: no window of t seconds sees more than burst + per_second * t.';
COMMENT ON COLUMN avinode_ingest.limiters.caller IS 'A digest of the credentials that are called with, never they themselves: other credentials, another chance.';
COMMENT ON COLUMN avinode_ingest.limiters.seen_at IS 'When a process that calls was last there.';
COMMENT ON COLUMN avinode_ingest.limiters.full_at IS 'When every slot is free again, were none taken from now on (a theoretical arrival time). Each slot taken moves it on.';
COMMENT ON COLUMN avinode_ingest.limiters.slow_until IS 'Little was left by the other side''s count: until then a slot costs double.';
COMMENT ON COLUMN avinode_ingest.limiters.paused_until IS 'The other side said that nothing is left.';
COMMENT ON COLUMN avinode_ingest.limiters.failures IS 'Calls that failed in a row, as a server does that is down.';
COMMENT ON COLUMN avinode_ingest.limiters.opened IS 'How often in a row the breaker has opened; each time for longer.';
COMMENT ON COLUMN avinode_ingest.limiters.open_until IS 'The breaker is open: nothing is called until then, and one call at a time from then until one succeeds.';
COMMENT ON COLUMN avinode_ingest.limiters.probing_until IS 'One call tries whether it is well again; what became of it is waited for until then.';
COMMENT ON COLUMN avinode_ingest.limiters.stops IS 'How often in a row the other side refused our credentials; each time it is tried again later.';
COMMENT ON COLUMN avinode_ingest.limiters.stopped_until IS 'When the refused credentials are tried again.';
COMMENT ON COLUMN avinode_ingest.limiters.stopped_because IS 'What was said, in words for an operator.';
COMMENT ON COLUMN avinode_ingest.limiters.stopped_caller IS 'Whose credentials were refused; others are not held up.';
