-- no-transaction
-- Finds the latest quotes of the operators whose names begin with a text. In the order of bytes, because names are compared by their
-- beginning; the beginning of a name, because an entry could not hold a long one.
CREATE INDEX CONCURRENTLY IF NOT EXISTS quote_facts_by_operator
    ON avinode_ingest.quote_facts ((left(lower(operator_name), 100)) COLLATE "C", first_fact_at DESC)
    WHERE operator_name IS NOT NULL;
