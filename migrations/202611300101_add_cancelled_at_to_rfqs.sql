-- A cancelled RFQ is a fact of its own. Until now it was stored as a cancellation of the whole trip. Safe to apply again.
ALTER TABLE avinode_ingest.rfqs ADD COLUMN IF NOT EXISTS cancelled_at timestamptz;
COMMENT ON COLUMN avinode_ingest.rfqs.cancelled_at IS 'Earliest time at which the RFQ is known to be cancelled; NULL while it is open. A trip whose RFQs are all cancelled is called off.';
