-- A CREATE INDEX CONCURRENTLY that was interrupted leaves its index behind, invalid: kept up to date, used by no query, and
-- passed over by IF NOT EXISTS when the file is run again. That must not go unseen.
DO $$
DECLARE
    broken text;
BEGIN
    SELECT string_agg(format('REINDEX INDEX CONCURRENTLY %s;', indexrelid::regclass), ' ' ORDER BY indexrelid::regclass::text)
    INTO broken
    FROM pg_catalog.pg_index
    WHERE NOT indisvalid
      AND indexrelid IN (
          SELECT to_regclass('public.' || name)
          FROM unnest(ARRAY[
              'quotes_by_avinode_quote_id',
              'chat_sessions_by_conversation', 'chat_sessions_by_request', 'chat_sessions_by_agent', 'chat_sessions_by_status',
              'chat_sessions_by_trip', 'chat_sessions_by_rfp', 'chat_sessions_by_rfq', 'chat_sessions_by_end',
              'chat_sessions_by_primary_quote', 'chat_sessions_by_proposal'
          ]) AS name
      );
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'an index was left invalid by an interrupted migration'
            USING HINT = 'Run these, then migrate again: ' || broken;
    END IF;
END
$$;
