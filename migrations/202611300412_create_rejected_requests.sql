-- Requests that receiving refused, so that an admin can tell "refused" from "never sent". Bounded: a part of a second's requests, at most
-- 200 rows for each hour, for seven days. Nothing of a body but its digest and its length.
CREATE TABLE IF NOT EXISTS avinode_ingest.rejected_requests (
    digest bytea PRIMARY KEY,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times bigint NOT NULL,
    reason text NOT NULL,
    body_bytes integer
);
COMMENT ON TABLE avinode_ingest.rejected_requests IS 'Refused requests to the webhook: a bounded sample, pruned after seven days.';
COMMENT ON COLUMN avinode_ingest.rejected_requests.digest IS 'SHA-256 of the body: a sender that tries again makes one row. Of a request whose body was not read, of the reason and the hour.';
COMMENT ON COLUMN avinode_ingest.rejected_requests.first_at IS 'Time of the first request, by the receiver''s clock.';
COMMENT ON COLUMN avinode_ingest.rejected_requests.last_at IS 'Time of the last request.';
COMMENT ON COLUMN avinode_ingest.rejected_requests.times IS 'Number of requests in the sample.';
COMMENT ON COLUMN avinode_ingest.rejected_requests.reason IS 'One of a fixed set of texts: why the last one was refused.';
COMMENT ON COLUMN avinode_ingest.rejected_requests.body_bytes IS 'Length of the body; NULL if it was not read.';
CREATE INDEX IF NOT EXISTS rejected_requests_by_age ON avinode_ingest.rejected_requests (last_at);

-- A role of the service that exists already.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT quote_ident(pg_get_userbyid(acl.grantee)) AS role
        FROM pg_catalog.pg_class AS class CROSS JOIN LATERAL aclexplode(class.relacl) AS acl
        WHERE class.oid = 'avinode_ingest.deliveries'::regclass AND acl.privilege_type = 'DELETE'
            AND acl.grantee NOT IN (0, class.relowner)
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON avinode_ingest.rejected_requests TO %s', granted.role);
    END LOOP;
END
$$;
