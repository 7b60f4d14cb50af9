-- The id of the quote in a row of public.quotes. Rows of older applications have it in `metadata`, and the id of an RFQ or of an
-- event (`decline-…`) in `avinode_quote_id`, which is no quote.
CREATE FUNCTION avinode_ingest.is_quote_id(id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(id <> '' AND octet_length(id) <= 200 AND lower(id COLLATE "C") NOT LIKE ALL (ARRAY['arfq-%', 'decline-%']), false);
COMMENT ON FUNCTION avinode_ingest.is_quote_id(text) IS 'True if a trimmed text may be the id of a quote: it is not the id of an RFQ or of a decline.';

CREATE FUNCTION avinode_ingest.row_quote_id(avinode_quote_id text, metadata jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN avinode_ingest.is_quote_id(avinode_ingest.btrim_all(avinode_quote_id))
            THEN avinode_ingest.btrim_all(avinode_quote_id)
        WHEN avinode_ingest.is_quote_id(avinode_ingest.btrim_all(metadata ->> 'avinode_quote_id'))
            THEN avinode_ingest.btrim_all(metadata ->> 'avinode_quote_id')
    END;
COMMENT ON FUNCTION avinode_ingest.row_quote_id(text, jsonb) IS 'Id of the quote in a row of public.quotes, from its column or its metadata; NULL if the row names no quote.';

-- An index calls them with the privileges of the role that writes the row.
GRANT EXECUTE ON FUNCTION avinode_ingest.is_quote_id(text), avinode_ingest.row_quote_id(text, jsonb) TO PUBLIC;
