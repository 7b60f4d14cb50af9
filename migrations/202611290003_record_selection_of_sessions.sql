-- A selection among all quotes of a trip is recorded with its policy and time. The next one then needs only the quotes that
-- changed since, and the selected one: the cost of an event does not grow with the quotes of its trip.
ALTER TABLE avinode_ingest.session_state ADD COLUMN selected_by text, ADD COLUMN selected_at timestamptz;
COMMENT ON COLUMN avinode_ingest.session_state.selected_by IS 'Policy of the last selection; NULL if the last decision selected nothing because the primary quote is pinned or the session closed.';
COMMENT ON COLUMN avinode_ingest.session_state.selected_at IS 'Time of the last selection by the clock of the worker, rounded down to the minute.';

-- Quotes that were counted by their row, before it had Avinode's id. There are few; a whole ledger is not read to find them.
CREATE INDEX IF NOT EXISTS ledger_by_row ON avinode_ingest.ledger (session_id) WHERE starts_with(quote_id, 'row:');
