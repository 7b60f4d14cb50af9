-- One normal form for trip ids, however the application wrote them: all digits is a resource id (`64956150` is
-- `atrip-64956150`), an id with a dash is lower case, a short id is upper case. The crate's TripId is the same rule.
-- What is longer than any id that is kept (200 bytes, MAX_ID_BYTES) is no trip's: without that bound a text too long for an
-- index entry would make the application's write fail.
-- The body is parsed here and now, so no search_path can change its meaning; COLLATE "C" folds ASCII alone.
-- (Postgres knows no \v in an escape string: that would be the letter.) White space around an id is all that Unicode calls so, as in the crate: pasted ids come with no-break spaces.
CREATE FUNCTION avinode_ingest.btrim_all(id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(id, E' \t\n\r\f\x0b\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000');
COMMENT ON FUNCTION avinode_ingest.btrim_all(text) IS 'A text without white space around it.';

CREATE FUNCTION avinode_ingest.normal_trip_id(trip_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN avinode_ingest.btrim_all(trip_id) = '' THEN NULL
        WHEN octet_length(avinode_ingest.btrim_all(trip_id)) > 200 THEN NULL
        WHEN avinode_ingest.btrim_all(trip_id) ~ '^[0-9]+$'
            THEN 'atrip-' || avinode_ingest.btrim_all(trip_id)
        WHEN position('-' IN trip_id) > 0 THEN lower(avinode_ingest.btrim_all(trip_id) COLLATE "C")
        ELSE upper(avinode_ingest.btrim_all(trip_id) COLLATE "C")
    END;
COMMENT ON FUNCTION avinode_ingest.normal_trip_id(text) IS 'A trip id in its normal form; null for none.';
-- The index on chat_sessions calls it with the rights of whoever writes a session.
GRANT EXECUTE ON FUNCTION avinode_ingest.normal_trip_id(text), avinode_ingest.btrim_all(text) TO PUBLIC;
