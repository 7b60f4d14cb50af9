-- Every table and column of ours says what it is; a test holds that.
COMMENT ON COLUMN avinode_ingest.jobs.id IS 'Never used again; the job''s outcome bears the same.';
COMMENT ON COLUMN avinode_ingest.jobs.created_at IS 'When it was queued.';
COMMENT ON COLUMN avinode_ingest.jobs.leased_by IS 'The worker that holds it: its process, and its number there.';

COMMENT ON COLUMN avinode_ingest.dead_jobs.id IS 'The job''s id.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.kind IS 'Which handler it was for.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.key IS 'What it was about.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.delivery_id IS 'The delivery it came with.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.created_at IS 'When it was queued.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.died_at IS 'When it was given up.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.attempts IS 'Claims that counted.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.crashes IS 'Lone runs that ended with their worker.';
COMMENT ON COLUMN avinode_ingest.dead_jobs.history IS 'The last failures, oldest first.';

COMMENT ON COLUMN avinode_ingest.outcomes.job_id IS 'The job''s id.';
COMMENT ON COLUMN avinode_ingest.outcomes.kind IS 'Which handler it was for.';
COMMENT ON COLUMN avinode_ingest.outcomes.key IS 'What it was about.';
COMMENT ON COLUMN avinode_ingest.outcomes.delivery_id IS 'The delivery it came with.';
COMMENT ON COLUMN avinode_ingest.outcomes.created_at IS 'When it was queued.';
COMMENT ON COLUMN avinode_ingest.outcomes.finished_at IS 'When it was finished; outcomes are pruned by it.';
COMMENT ON COLUMN avinode_ingest.outcomes.attempts IS 'Claims that counted.';

COMMENT ON COLUMN avinode_ingest.leader_leases.name IS 'The work.';
COMMENT ON COLUMN avinode_ingest.leader_leases.holder IS 'The process that leads.';
COMMENT ON COLUMN avinode_ingest.leader_leases.held_until IS 'The end of the lease unless it is renewed; afterwards any process may take it.';

COMMENT ON COLUMN avinode_ingest.event_keys.event_id IS 'eventId, as the sender wrote it.';
COMMENT ON COLUMN avinode_ingest.event_keys.delivery_id IS 'The delivery that was first with it.';
COMMENT ON COLUMN avinode_ingest.event_keys.body_sha256 IS 'SHA-256 of that delivery''s body: another body under the same id is flagged.';
COMMENT ON COLUMN avinode_ingest.event_keys.applied_at IS 'When it was applied.';

COMMENT ON COLUMN avinode_ingest.trips.key IS 'The id in normal form.';
COMMENT ON COLUMN avinode_ingest.trips.status IS 'What last happened to the trip itself: updated, cancelled or expired.';
COMMENT ON COLUMN avinode_ingest.trips.status_at IS 'The status''s own time.';
COMMENT ON COLUMN avinode_ingest.trips.status_source IS '0 an event, 1 a document.';
COMMENT ON COLUMN avinode_ingest.trips.status_digest IS 'SHA-256 of what told the status.';
COMMENT ON COLUMN avinode_ingest.trips.first_seen_at IS 'When the id was first heard of, in an event or in a session.';

COMMENT ON COLUMN avinode_ingest.quotes.trip_key IS 'Its trip.';
COMMENT ON COLUMN avinode_ingest.quotes.quote_id IS 'Avinode''s id of the quote.';
COMMENT ON COLUMN avinode_ingest.quotes.request_id IS 'The RFQ that it answers.';
COMMENT ON COLUMN avinode_ingest.quotes.amount IS 'The total price, exact; null where none is given.';
COMMENT ON COLUMN avinode_ingest.quotes.currency IS 'The price''s currency, as given.';
COMMENT ON COLUMN avinode_ingest.quotes.operator_id IS 'The seller''s id.';
COMMENT ON COLUMN avinode_ingest.quotes.operator_name IS 'The seller''s name.';
COMMENT ON COLUMN avinode_ingest.quotes.aircraft_type IS 'Type or model of the aircraft.';
COMMENT ON COLUMN avinode_ingest.quotes.aircraft_tail IS 'Registration, where the seller names it.';
COMMENT ON COLUMN avinode_ingest.quotes.valid_until IS 'It expires then; null where the seller names no end.';
COMMENT ON COLUMN avinode_ingest.quotes.fact_at IS 'The newest fact''s own time.';
COMMENT ON COLUMN avinode_ingest.quotes.fact_source IS '0 an event, 1 a document.';
COMMENT ON COLUMN avinode_ingest.quotes.fact_digest IS 'SHA-256 of the newest fact.';
COMMENT ON COLUMN avinode_ingest.quotes.declined IS 'A decline has named this quote.';
COMMENT ON COLUMN avinode_ingest.quotes.declined_at IS 'The newest decline''s own time.';
COMMENT ON COLUMN avinode_ingest.quotes.declined_source IS '0 an event, 1 a document.';
COMMENT ON COLUMN avinode_ingest.quotes.declined_digest IS 'SHA-256 of the newest decline.';
COMMENT ON COLUMN avinode_ingest.quotes.decline_reason IS 'The seller''s reason, as given.';

COMMENT ON COLUMN avinode_ingest.requests.trip_key IS 'Its trip.';
COMMENT ON COLUMN avinode_ingest.requests.request_id IS 'Avinode''s id of the RFQ.';
COMMENT ON COLUMN avinode_ingest.requests.declined IS 'The seller declined it.';
COMMENT ON COLUMN avinode_ingest.requests.declined_at IS 'The newest decline''s own time.';
COMMENT ON COLUMN avinode_ingest.requests.declined_source IS '0 an event, 1 a document.';
COMMENT ON COLUMN avinode_ingest.requests.declined_digest IS 'SHA-256 of the newest decline.';
COMMENT ON COLUMN avinode_ingest.requests.decline_reason IS 'The seller''s reason, as given.';

COMMENT ON COLUMN avinode_ingest.messages.trip_key IS 'Its trip.';
COMMENT ON COLUMN avinode_ingest.messages.message_id IS 'Avinode''s id of the message.';

COMMENT ON COLUMN avinode_ingest.ledger.session_id IS 'The session.';
COMMENT ON COLUMN avinode_ingest.ledger.quote_id IS 'Avinode''s id of the quote.';
COMMENT ON COLUMN avinode_ingest.ledger.entered_at IS 'When it was entered.';

COMMENT ON COLUMN avinode_ingest.session_state.session_id IS 'The session.';

COMMENT ON COLUMN avinode_ingest.timeline.session_id IS 'The session.';
COMMENT ON COLUMN avinode_ingest.timeline.seq IS 'Its number in the session''s timeline; rising, not without gaps.';
COMMENT ON COLUMN avinode_ingest.timeline.recorded_at IS 'When it became known here.';
COMMENT ON COLUMN avinode_ingest.timeline.kind IS 'What happened: quote_received, quote_changed, rfq_declined and so on.';
COMMENT ON COLUMN avinode_ingest.timeline.delivery_id IS 'The delivery that told; null for what nobody told, such as the passing of time.';
COMMENT ON COLUMN avinode_ingest.timeline.detail IS 'More, for people: prices, names, reasons.';
