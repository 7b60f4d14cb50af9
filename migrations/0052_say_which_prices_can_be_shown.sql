-- One place that says which prices public.quotes can hold: from half a cent, which rounds up to one, to just under ten thousand
-- million. The crate's projection::projectable_price is the same rule.
CREATE OR REPLACE FUNCTION avinode_ingest.is_projectable_price(amount numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(amount >= 0.005 AND amount < 9999999999.995, false);
COMMENT ON FUNCTION avinode_ingest.is_projectable_price(numeric) IS 'Whether the price of a fact is one that quotes can hold.';
GRANT EXECUTE ON FUNCTION avinode_ingest.is_projectable_price(numeric) TO PUBLIC;
