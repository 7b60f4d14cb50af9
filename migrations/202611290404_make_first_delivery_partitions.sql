-- The partitions of a year, which a program before this file would not make. The maintenance of the service makes those after it.
DO $$
BEGIN
    WHILE avinode_ingest.make_delivery_partition(12) IS NOT NULL LOOP
    END LOOP;
END
$$;
