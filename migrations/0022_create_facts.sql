-- What Avinode told us, by trip, whole: whether or not a session or a row of `quotes` exists to show it.
-- A fact's version is (fact_at, fact_source, fact_digest): its own time (null is the lowest), 0 for an event and 1 for a
-- document, and the SHA-256 of its content. A row is replaced only by a higher version.
CREATE TABLE avinode_ingest.event_keys (
    event_id text PRIMARY KEY,
    delivery_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE avinode_ingest.event_keys IS 'The full events that have been applied: the same id again is a duplicate. Never pruned.';

CREATE TABLE avinode_ingest.trips (
    key text PRIMARY KEY,
    merged_into text REFERENCES avinode_ingest.trips (key),
    status text,
    status_at timestamptz,
    status_source smallint,
    status_digest bytea,
    last_activity_at timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX trips_merged ON avinode_ingest.trips (merged_into) WHERE merged_into IS NOT NULL;
COMMENT ON TABLE avinode_ingest.trips IS 'Trips by the id they were first known by, in normal form. The row is the lock under which a trip''s facts and sessions change.';
COMMENT ON COLUMN avinode_ingest.trips.merged_into IS 'A document showed this id and that one to be the same trip: this row is only an alias now.';
COMMENT ON COLUMN avinode_ingest.trips.last_activity_at IS 'The greatest of least(event time, time received) over quotes and messages.';

CREATE TABLE avinode_ingest.quote_facts (
    trip_key text NOT NULL REFERENCES avinode_ingest.trips (key),
    quote_id text NOT NULL,
    received boolean NOT NULL,
    rfq_id text,
    amount numeric,
    currency text,
    operator_id text,
    operator_name text,
    aircraft_type text,
    aircraft_tail text,
    valid_until timestamptz,
    fact_at timestamptz,
    fact_source smallint,
    fact_digest bytea,
    first_fact_at timestamptz,
    declined boolean NOT NULL DEFAULT false,
    declined_at timestamptz,
    declined_source smallint,
    declined_digest bytea,
    decline_reason text,
    projected_id uuid,
    projected_values jsonb,
    projection_error text,
    projection_failed_at timestamptz,
    PRIMARY KEY (trip_key, quote_id)
);
COMMENT ON TABLE avinode_ingest.quote_facts IS 'Quotes as facts. public.quotes is a projection of these.';
COMMENT ON COLUMN avinode_ingest.quote_facts.received IS 'False while only a decline has named the quote.';
COMMENT ON COLUMN avinode_ingest.quote_facts.first_fact_at IS 'The earliest time of any fact, for the policy "first".';
COMMENT ON COLUMN avinode_ingest.quote_facts.projected_id IS 'The row of public.quotes that shows it; fixed at first projection. No foreign key: the application may delete that row.';
COMMENT ON COLUMN avinode_ingest.quote_facts.projected_values IS 'The values we wrote there last: only those are overwritten.';
COMMENT ON COLUMN avinode_ingest.quote_facts.projection_error IS 'Why the last projection failed; it is tried again with every newer fact and by the sweep.';

COMMENT ON COLUMN avinode_ingest.quote_facts.projection_failed_at IS 'When the table last refused it; the sweep has it tried again after a day.';
-- What the sweep asks for: quotes that are not shown, and whose row a primary quote is.
CREATE INDEX quote_facts_unprojected ON avinode_ingest.quote_facts (trip_key) WHERE projected_id IS NULL AND received;
CREATE INDEX quote_facts_by_projected_id ON avinode_ingest.quote_facts (projected_id) WHERE projected_id IS NOT NULL;

CREATE TABLE avinode_ingest.rfqs (
    trip_key text NOT NULL REFERENCES avinode_ingest.trips (key),
    rfq_id text NOT NULL,
    sent boolean NOT NULL DEFAULT false,
    declined boolean NOT NULL DEFAULT false,
    declined_at timestamptz,
    declined_source smallint,
    declined_digest bytea,
    decline_reason text,
    PRIMARY KEY (trip_key, rfq_id)
);
COMMENT ON TABLE avinode_ingest.rfqs IS 'RFQs as facts, one row per RFQ.';
COMMENT ON COLUMN avinode_ingest.rfqs.sent IS 'It was sent to a seller: counted as an operator contacted.';

CREATE TABLE avinode_ingest.messages (
    trip_key text NOT NULL REFERENCES avinode_ingest.trips (key),
    message_id text NOT NULL,
    PRIMARY KEY (trip_key, message_id)
);
COMMENT ON TABLE avinode_ingest.messages IS 'Chat messages as facts; their text stays in the delivery.';
