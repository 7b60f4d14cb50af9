-- no-transaction
-- Matches sessions to RFQs. Partial: most sessions have no RFQ id, and equality excludes NULL.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_normal_rfq_id
    ON public.chat_sessions (avinode_ingest.normal_rfq_id(avinode_rfq_id))
    WHERE avinode_ingest.normal_rfq_id(avinode_rfq_id) IS NOT NULL;
