-- The buyer's acceptance of a quote (the event TripQuoteAccepted).
ALTER TABLE avinode_ingest.quote_facts
    ADD COLUMN accepted boolean NOT NULL DEFAULT false,
    ADD COLUMN accepted_at timestamptz;
COMMENT ON COLUMN avinode_ingest.quote_facts.accepted IS 'True if the buyer accepted the quote.';
COMMENT ON COLUMN avinode_ingest.quote_facts.accepted_at IS 'Earliest time of the acceptance, by the sender''s clock; NULL if none was given.';
