-- One form in which RFQ ids are compared, however the application wrote them: lower case, without white space around. The
-- crate's RfqId::normalized is the same rule; what is longer than any id that is kept is none.
CREATE FUNCTION avinode_ingest.normal_rfq_id(rfq_id text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN avinode_ingest.btrim_all(rfq_id) = '' THEN NULL
        WHEN octet_length(avinode_ingest.btrim_all(rfq_id)) > 200 THEN NULL
        ELSE lower(avinode_ingest.btrim_all(rfq_id) COLLATE "C")
    END;
COMMENT ON FUNCTION avinode_ingest.normal_rfq_id(text) IS 'An RFQ id in the form in which it is compared; null for none.';
-- The index on chat_sessions calls it with the rights of whoever writes a session.
GRANT EXECUTE ON FUNCTION avinode_ingest.normal_rfq_id(text) TO PUBLIC;

-- With the trip, so that a sender who names one RFQ in all its trips makes no look-up slow.
CREATE INDEX rfqs_normal_id ON avinode_ingest.rfqs (avinode_ingest.normal_rfq_id(rfq_id), trip_key);

ALTER TABLE avinode_ingest.session_state ADD COLUMN matched_rfq text;
COMMENT ON COLUMN avinode_ingest.session_state.matched_rfq IS 'The RFQ id, in normal form, that the session was last matched by; the sweep compares it.';
