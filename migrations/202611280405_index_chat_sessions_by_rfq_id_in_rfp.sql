-- no-transaction
-- Matches sessions to RFQs whose id the application stored in avinode_rfp_id. Partial: most of these columns hold no RFQ id.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_normal_rfq_id_in_rfp
    ON public.chat_sessions (avinode_ingest.rfq_id_in_rfp(avinode_rfp_id))
    WHERE avinode_ingest.rfq_id_in_rfp(avinode_rfp_id) IS NOT NULL;
