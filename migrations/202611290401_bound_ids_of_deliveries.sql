-- The table becomes the first partition of `deliveries` (202611290403). With a check of its ids, it is attached without being read.
-- The check is not validated here, which would read the table under this lock.
--
-- The bound is the first of a month, at least a week away: until the table is a partition, later ids are refused. Without the check
-- the table is read when it is attached; so it is where ids of the future are stored already, by a clock that was wrong.
DO $$
DECLARE
    first_of_month CONSTANT timestamp := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC' + interval '7 days') + interval '1 month';
    beyond CONSTANT uuid := avinode_ingest.uuid_of_time(first_of_month AT TIME ZONE 'UTC');
BEGIN
    IF NOT EXISTS (SELECT FROM avinode_ingest.deliveries WHERE id >= beyond) THEN
        EXECUTE format('ALTER TABLE avinode_ingest.deliveries ADD CONSTRAINT deliveries_bound CHECK (id < %L) NOT VALID', beyond);
    END IF;
END
$$;
