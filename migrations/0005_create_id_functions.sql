-- Functions that bring ids into one normal form. The crate's types TripId and RfqId apply the same rules.
--
-- Ids longer than 200 bytes (MAX_ID_BYTES) are NULL: without this bound a text too long for an index entry would make the
-- application's write fail.
-- Each body is parsed when the function is created, so that no search_path can change its meaning; COLLATE "C" folds ASCII only.
-- The indexes on chat_sessions and quotes call these functions with the privileges of the role that writes the row: hence
-- EXECUTE for PUBLIC.

-- The characters that Unicode calls white space, as in the crate: pasted ids contain no-break spaces. (\x0b is \v: Postgres
-- has no \v in an escape string, and reads it as the letter.)
CREATE FUNCTION avinode_ingest.btrim_all(id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(id, E' \t\n\r\f\x0b\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000');
COMMENT ON FUNCTION avinode_ingest.btrim_all(text) IS 'Text without leading and trailing white space.';

-- All digits is a resource id (`64956150` is `atrip-64956150`), an id with a dash is lower case, a short id is upper case.
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
COMMENT ON FUNCTION avinode_ingest.normal_trip_id(text) IS 'Trip id in normal form; NULL if the text is no id.';

CREATE FUNCTION avinode_ingest.normal_rfq_id(rfq_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN avinode_ingest.btrim_all(rfq_id) = '' THEN NULL
        WHEN octet_length(avinode_ingest.btrim_all(rfq_id)) > 200 THEN NULL
        ELSE lower(avinode_ingest.btrim_all(rfq_id) COLLATE "C")
    END;
COMMENT ON FUNCTION avinode_ingest.normal_rfq_id(text) IS 'RFQ id in normal form (lower case); NULL if the text is no id.';

GRANT EXECUTE ON FUNCTION
    avinode_ingest.btrim_all(text), avinode_ingest.normal_trip_id(text), avinode_ingest.normal_rfq_id(text)
TO PUBLIC;
