-- Facts without a timestamp of the sender's are ordered by the time at which they were first seen.

ALTER TABLE avinode_ingest.quote_facts
    ADD COLUMN IF NOT EXISTS created_at timestamptz,
    ADD COLUMN IF NOT EXISTS fact_seen_at timestamptz,
    ADD COLUMN IF NOT EXISTS declined_seen_at timestamptz,
    ADD COLUMN IF NOT EXISTS declines jsonb;
COMMENT ON COLUMN avinode_ingest.quote_facts.created_at IS 'Creation time that the quote itself states.';
COMMENT ON COLUMN avinode_ingest.quote_facts.fact_at IS 'The newest fact''s own time; NULL if the sender stated none.';
COMMENT ON COLUMN avinode_ingest.quote_facts.fact_seen_at IS 'Time at which the newest fact was first received, or at which the last GET that showed it began.';
COMMENT ON COLUMN avinode_ingest.quote_facts.declined_at IS 'The newest decline''s own time; NULL if the sender stated none.';
COMMENT ON COLUMN avinode_ingest.quote_facts.declined_seen_at IS 'Time at which the newest decline was first received, or at which the last GET that showed it began.';
COMMENT ON COLUMN avinode_ingest.quote_facts.declines IS 'The newest decline and those that may turn out to be newer; NULL if the other columns are complete.';
COMMENT ON COLUMN avinode_ingest.quote_facts.history IS 'Distinct statements of events and documents, the newest first; the columns beside it hold the result. NULL if one statement is all that is known: the columns are then complete.';

ALTER TABLE avinode_ingest.rfqs
    ADD COLUMN IF NOT EXISTS declined_seen_at timestamptz,
    ADD COLUMN IF NOT EXISTS declines jsonb;
COMMENT ON COLUMN avinode_ingest.rfqs.declined_at IS 'The newest decline''s own time; NULL if the sender stated none.';
COMMENT ON COLUMN avinode_ingest.rfqs.declined_seen_at IS 'Time at which the newest decline was first received, or at which the last GET that showed it began.';
COMMENT ON COLUMN avinode_ingest.rfqs.declines IS 'The newest decline and those that may turn out to be newer; NULL if the other columns are complete.';

ALTER TABLE avinode_ingest.trips
    ADD COLUMN IF NOT EXISTS status_seen_at timestamptz,
    ADD COLUMN IF NOT EXISTS statuses jsonb;
COMMENT ON COLUMN avinode_ingest.trips.status_at IS 'The status''s own time; NULL if the sender stated none.';
COMMENT ON COLUMN avinode_ingest.trips.status_seen_at IS 'Time at which the status was first received, or at which the last GET that showed it began.';
COMMENT ON COLUMN avinode_ingest.trips.statuses IS 'The newest status and those that may turn out to be newer; NULL if the other columns are complete.';

-- Until now a document without a timestamp was stored with the time of its GET.
UPDATE avinode_ingest.quote_facts AS fact
SET history = jsonb_build_object(
    'made_by_seller', fact.history -> 'received',
    'linked', false,
    'not_generated', false,
    'generated', false,
    'first_fact_at', to_jsonb(least(fact.first_fact_at, (fact.history ->> 'first_reaffirmed_at')::timestamptz)),
    'last_reaffirmed_at', fact.history -> 'last_reaffirmed_at',
    'observations', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'details', known.value -> 'details',
            'source', known.value #> '{latest_version,source}',
            'at', CASE WHEN (known.value -> 'has_sender_time')::boolean THEN known.value #> '{latest_version,at}' END,
            'first_seen_at', to_jsonb(coalesce(
                (known.value ->> 'first_version_at')::timestamptz,
                (known.value #>> '{latest_version,at}')::timestamptz,
                'epoch'
            )),
            'last_seen_at', to_jsonb(coalesce((known.value #>> '{latest_version,at}')::timestamptz, 'epoch')),
            'digest', known.value #> '{latest_version,digest}'
        ) ORDER BY known.value #>> '{latest_version,at}' DESC NULLS LAST), '[]')
        FROM jsonb_array_elements(
            CASE WHEN jsonb_typeof(fact.history -> 'event') = 'object' THEN jsonb_build_array(fact.history -> 'event')
                ELSE '[]' END || (fact.history -> 'documents')
        ) AS known (value)
    )
)
WHERE fact.history ? 'documents';

-- An older program would read the histories as damaged, and write them anew without what it does not know.
UPDATE avinode_ingest.compatibility SET oldest_migration = 202611280510;
