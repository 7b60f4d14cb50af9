-- The request under which the service shows a quote. The row moves with the sessions of its trip as long as the application has
-- not moved it.
ALTER TABLE avinode_ingest.quote_facts ADD COLUMN own_request_id uuid;
COMMENT ON COLUMN avinode_ingest.quote_facts.own_request_id IS
    'Request that the service wrote to the row of public.quotes last; NULL for a row that the application inserted.';

-- A row with written values was inserted by the service, in the request that it still has.
UPDATE avinode_ingest.quote_facts AS fact
SET own_request_id = quote.request_id
FROM public.quotes AS quote
WHERE quote.id = fact.projected_id AND coalesce(fact.projected_values, '{}') <> '{}';
