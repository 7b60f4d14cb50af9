-- no-transaction
-- Sessions that hold an RFQ are found by it. Partial: most have none, and an equality asked for excludes null.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_normal_rfq_id
    ON public.chat_sessions (avinode_ingest.normal_rfq_id(avinode_rfq_id))
    WHERE avinode_ingest.normal_rfq_id(avinode_rfq_id) IS NOT NULL;
