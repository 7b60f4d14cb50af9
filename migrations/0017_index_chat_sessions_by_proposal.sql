-- no-transaction
-- The foreign key's action when a proposal is deleted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_proposal
    ON public.chat_sessions (proposal_id) WHERE proposal_id IS NOT NULL;
