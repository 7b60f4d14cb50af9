-- A slot is held until its call is over: a call that is late on its way then meets no other.
ALTER TABLE avinode_ingest.limiters ADD COLUMN IF NOT EXISTS under_way timestamptz[] NOT NULL DEFAULT '{}';

COMMENT ON COLUMN avinode_ingest.limiters.under_way IS 'The calls that have a slot and are not known to be over: for each, when it is over at the latest. A call is known by that moment.';
COMMENT ON COLUMN avinode_ingest.limiters.full_at IS 'When the slots of all calls that are over have filled again (a theoretical arrival time). Each call that ends moves it on.';
