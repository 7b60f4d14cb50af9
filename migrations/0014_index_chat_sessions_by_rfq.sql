-- no-transaction
-- Sessions by Avinode RFQ, as the id is written. The service compares normal forms (0019).
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_rfq
    ON public.chat_sessions USING hash (avinode_rfq_id) WHERE avinode_rfq_id IS NOT NULL;
