-- An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index behind: every write maintains it, no query uses it, and IF NOT
-- EXISTS skips it when the file runs again. The migrator repairs such indexes; this file stops any other way of migrating.
DO $$
DECLARE
    repair text;
BEGIN
    SELECT string_agg(format('REINDEX INDEX CONCURRENTLY %s;', indexrelid::regclass), ' ' ORDER BY indexrelid::regclass::text)
    INTO repair
    FROM pg_catalog.pg_index
    WHERE NOT indisvalid
      AND indexrelid IN (
          SELECT to_regclass('public.' || name)
          FROM unnest(ARRAY[
              'quotes_by_avinode_quote_id', 'quotes_by_quote_id',
              'chat_sessions_by_conversation', 'chat_sessions_by_request', 'chat_sessions_by_agent', 'chat_sessions_by_status',
              'chat_sessions_by_trip', 'chat_sessions_by_rfp', 'chat_sessions_by_rfq', 'chat_sessions_by_end',
              'chat_sessions_by_primary_quote', 'chat_sessions_by_proposal',
              'chat_sessions_normal_trip_id', 'chat_sessions_normal_rfq_id'
          ]) AS name
      );
    IF repair IS NOT NULL THEN
        RAISE EXCEPTION 'an interrupted migration left an index invalid'
            USING HINT = 'Run this, then migrate again: ' || repair;
    END IF;
END
$$;
