-- no-transaction
-- The board shows the latest sessions of each workflow step. The beginning of a step, because an entry could not hold a long one, and
-- the application's write would fail; no step is the empty text, because IS NULL would not read the entries in their order.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_sessions_by_step
    ON public.chat_sessions (status, (coalesce(left(current_step, 100), '')), last_activity_at DESC, id DESC);
