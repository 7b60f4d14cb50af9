-- First attach. Quotes that the application has already counted enter their sessions' ledgers without counting again,
-- and primaries that are already set are pinned. The triggers exist by now, so nothing written meanwhile slips through.
INSERT INTO avinode_ingest.session_state (session_id, pinned, matched_trip)
SELECT s.id, s.primary_quote_id IS NOT NULL, avinode_ingest.normal_trip_id(s.avinode_trip_id)
FROM public.chat_sessions s
WHERE s.primary_quote_id IS NOT NULL OR s.avinode_trip_id IS NOT NULL
ON CONFLICT (session_id) DO NOTHING;

INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
SELECT s.id, avinode_ingest.without_space_around(q.avinode_quote_id), false
FROM public.chat_sessions s
JOIN public.quotes q
    ON q.request_id = s.request_id OR q.id = s.primary_quote_id
WHERE avinode_ingest.without_space_around(q.avinode_quote_id) <> ''
ON CONFLICT (session_id, quote_id) DO NOTHING;

-- Sessions without a request of their own, but with the trip that a request carries.
INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
SELECT s.id, avinode_ingest.without_space_around(q.avinode_quote_id), false
FROM public.chat_sessions s
JOIN public.requests r
    ON avinode_ingest.normal_trip_id(r.avinode_trip_id) = avinode_ingest.normal_trip_id(s.avinode_trip_id)
JOIN public.quotes q ON q.request_id = r.id
WHERE s.avinode_trip_id IS NOT NULL AND avinode_ingest.without_space_around(q.avinode_quote_id) <> ''
ON CONFLICT (session_id, quote_id) DO NOTHING;
