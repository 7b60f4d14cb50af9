-- Prices are rounded half-even to the two digits of public.quotes: 0.005 becomes 0.00, and 9999999999.995 becomes ten thousand
-- million. The crate's projection::projectable_price rounds, and is the same rule.
CREATE OR REPLACE FUNCTION avinode_ingest.is_projectable_price(amount numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(amount > 0.005 AND amount < 9999999999.995, false);
