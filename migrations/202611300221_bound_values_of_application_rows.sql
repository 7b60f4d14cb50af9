-- Bounds for what is read of the application's rows. Its columns hold more than the service can read: a `numeric` has up to 131,072
-- digits and is stored in a few bytes, so that a `jsonb` value of 10 kB may have a text of 100 MB; JSON may be nested thousands deep; a
-- text may have a gigabyte. Such a value must not fail the statement that also reads other rows. Safe to apply again.

-- NULL for a price beyond a quadrillion, for NaN and the infinities; ten digits after the point.
CREATE OR REPLACE FUNCTION avinode_ingest.readable_price(price numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN NOT abs(price) < 1e15 THEN NULL
        WHEN scale(price) <= 10 THEN price
        ELSE round(price, 10)
    END;
COMMENT ON FUNCTION avinode_ingest.readable_price(numeric) IS
    'The price with at most 15 digits before and 10 after the point; NULL if it is larger or no number.';

-- True for a value whose text has at most 260 KiB (the API accepts 256 KiB, to which the service adds its own key) and which is nested
-- at most 64 deep. The cheap bounds are first: the stored size, the depth, the digits of its numbers. Only then is its text made.
CREATE OR REPLACE FUNCTION avinode_ingest.is_readable_json(value jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digits numeric;
BEGIN
    IF pg_column_size(value) > 524288 OR jsonb_path_exists(value, 'strict $.**{65}') THEN
        RETURN false;
    END IF;
    -- An upper bound by magnitude: a logarithm of a huge number takes long.
    SELECT sum(scale(number) + CASE WHEN abs(number) < 1e30 THEN 0 WHEN abs(number) < 1e1000 THEN 1000 ELSE 131072 END)
    INTO digits
    FROM (
        SELECT item.content::numeric AS number
        FROM jsonb_path_query(value, 'strict $.** ? (@.type() == "number")') AS item (content)
    ) AS numbers;
    IF digits > 266240 THEN
        RETURN false;
    END IF;
    RETURN octet_length(value::text) <= 266240;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR insufficient_resources THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION avinode_ingest.is_readable_json(jsonb) IS
    'True if the text of the value has at most 260 KiB and at most 64 levels.';

-- The columns of a row as {"columns": {column: value}, "omitted": [column]}. A value that is not readable is false in `columns`, and
-- its column is listed in `omitted`. A row of which nothing can be read (a column of type json that is no jsonb, a row of hundreds of
-- megabytes) has no columns, and `omitted` is ["*"].
CREATE OR REPLACE FUNCTION avinode_ingest.readable_row(source record) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    every_column jsonb;
BEGIN
    every_column := to_jsonb(source);
    IF avinode_ingest.is_readable_json(every_column) THEN
        RETURN jsonb_build_object('columns', every_column, 'omitted', jsonb_build_array());
    END IF;
    RETURN (
        SELECT jsonb_build_object(
            'columns', jsonb_object_agg(name, CASE WHEN is_readable THEN content ELSE 'false' END),
            'omitted', coalesce(jsonb_agg(name ORDER BY name) FILTER (WHERE NOT is_readable), '[]')
        )
        FROM (
            SELECT key AS name, value AS content, avinode_ingest.is_readable_json(value) AS is_readable
            FROM jsonb_each(every_column)
        ) AS each_column
    );
EXCEPTION WHEN data_exception OR program_limit_exceeded OR insufficient_resources THEN
    RETURN jsonb_build_object('columns', jsonb_build_object(), 'omitted', jsonb_build_array('*'));
END
$$;
COMMENT ON FUNCTION avinode_ingest.readable_row(record) IS
    'The columns of a row of the application''s, without the values that are too large to read, and the names of their columns.';
