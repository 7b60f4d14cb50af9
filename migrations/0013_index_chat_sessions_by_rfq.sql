-- no-transaction
-- Sessions by Avinode RFQ: an event whose trip no session has finds its session here.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_rfq
    ON public.chat_sessions USING hash (avinode_rfq_id) WHERE avinode_rfq_id IS NOT NULL;
