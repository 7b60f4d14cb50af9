# The renames of schema objects after the squash; used by the second comparison in 0001.
s/\bcan_be_shown\b/is_projectable_price/g
s/\bwithout_space_around\b/btrim_all/g
s/\bnote_sessions\b/record_session_changes/g
s/\bavinode_ingest\.duties\b/avinode_ingest.leader_leases/g
s/\balone_since\b/isolated_since/g
s/\balone\b/isolated/g
s/\bavinode_ingest\.requests\b/avinode_ingest.rfqs/g
s/\brequests_normal_id\b/rfqs_normal_id/g
s/\bavinode_ingest\.quotes\b/avinode_ingest.quote_facts/g
s/\bquotes_by_id\b/quote_facts_by_quote_id/g
s/\bquotes_by_row\b/quote_facts_by_projected_id/g
s/\bquotes_not_shown\b/quote_facts_unprojected/g
s/\basked_at\b/requested_at/g
s/\bbegan_at\b/fetch_began_at/g
s/\bkept_at\b/stored_at/g
s/\btimes integer\b/fetch_count integer/; s/documents\.times\b/documents.fetch_count/
s/\bprojected jsonb\b/projected_values jsonb/; s/quote_facts\.projected\b/quote_facts.projected_values/
s/\brefused_at\b/projection_failed_at/g
s/\bsaid jsonb\b/history jsonb/; s/quote_facts\.said\b/quote_facts.history/
s/\belected_quote\b/selected_quote/g
s/\bseq bigint NOT NULL DEFAULT 0\b/timeline_seq bigint NOT NULL DEFAULT 0/; s/session_state\.seq\b/session_state.timeline_seq/
s/\bcause\b/dedup_key/g
s/\bstatus_seen_at\b/status_first_seen_at/g
s/\brequested boolean\b/sent boolean/; s/rfqs\.requested\b/rfqs.sent/
/^CREATE TABLE avinode_ingest\.(rfqs|quote_facts)/,/^\)/s/\brequest_id\b/rfq_id/g
s/(rfqs|quote_facts)\.request_id\b/\1.rfq_id/; s/normal_rfq_id\(request_id\)/normal_rfq_id(rfq_id)/
s/the periodic sweep will find them/the resync will find them/
