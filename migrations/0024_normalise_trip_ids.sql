-- One normal form for trip ids, however the application wrote them: all digits is a resource id (`64956150` is
-- `atrip-64956150`), an id with a dash is lower case, a short id is upper case. The crate's TripId is the same rule.
-- What is longer than any id that is kept (200 bytes, MAX_ID_BYTES) is no trip's: without that bound a text too long for an
-- index entry would make the application's write fail.
-- The body is parsed here and now, so no search_path can change its meaning; COLLATE "C" folds ASCII alone.
CREATE FUNCTION avinode_ingest.normal_trip_id(trip_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN btrim(trip_id, E' \t\n\r\f\v') = '' THEN NULL
        WHEN octet_length(btrim(trip_id, E' \t\n\r\f\v')) > 200 THEN NULL
        WHEN btrim(trip_id, E' \t\n\r\f\v') ~ '^[0-9]+$' THEN 'atrip-' || btrim(trip_id, E' \t\n\r\f\v')
        WHEN position('-' IN trip_id) > 0 THEN lower(btrim(trip_id, E' \t\n\r\f\v') COLLATE "C")
        ELSE upper(btrim(trip_id, E' \t\n\r\f\v') COLLATE "C")
    END;
COMMENT ON FUNCTION avinode_ingest.normal_trip_id(text) IS 'A trip id in its normal form; null for none.';
-- The index on chat_sessions calls it with the rights of whoever writes a session.
GRANT EXECUTE ON FUNCTION avinode_ingest.normal_trip_id(text) TO PUBLIC;
