-- no-transaction
-- Sessions by Avinode RFP.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_rfp
    ON public.chat_sessions USING hash (avinode_rfp_id) WHERE avinode_rfp_id IS NOT NULL;
