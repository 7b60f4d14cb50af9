//! Merges trips: when a document shows several ids of one trip, their facts move to the trip with the canonical id.
//!
//! The caller has locked all of the trips, so no other transaction reads or writes their facts. The other ids keep their
//! rows, which are empty and lead to the canonical row in one step.

use std::collections::{BTreeMap, BTreeSet};

use super::facts;
use super::facts::rfqs_and_ledgers::LedgerScope;
use super::facts::write::{FactWrites, QuoteWrite, RfqWrite};
use super::trips::LockedTrips;
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::Rfq;
use crate::domain::trip::TripFacts;
use crate::domain::trip_identity;
use crate::postgres::transaction::Transaction;

#[derive(Debug, Default)]
pub struct MergeResult {
    /// By canonical key: the keys that were merged into it.
    pub into: BTreeMap<String, Vec<String>>,
    /// By canonical key: the quotes of the merged keys. Their projection may show an older fact than the newest of all.
    pub quotes: BTreeMap<String, BTreeSet<QuoteId>>,
}

/// Merges locked trips. Each of `groups` has the ids of one trip; groups that already have one row stay as they are.
/// Afterwards `locked` contains only canonical trips, without their facts.
pub async fn merge(
    tx: &mut Transaction<'_>,
    locked: &mut LockedTrips,
    groups: &[Vec<String>],
) -> Result<MergeResult, sqlx::Error> {
    let keys = |ids: &Vec<String>| ids.iter().filter_map(|id| locked.key_of.get(id)).cloned().collect();
    let key_groups: Vec<Vec<String>> = groups.iter().map(keys).collect();
    let canonical_of = trip_identity::canonical_ids(&key_groups);
    let mut result = MergeResult::default();
    if canonical_of.is_empty() {
        return Ok(result);
    }
    for (key, canonical) in &canonical_of {
        result.into.entry(canonical.clone()).or_default().push(key.clone());
    }
    let involved: BTreeSet<&String> = canonical_of.keys().chain(canonical_of.values()).collect();
    let mut trips: BTreeMap<String, TripFacts> = locked.trips.clone();
    trips.retain(|key, _| involved.contains(key));
    facts::load(
        tx,
        &mut trips,
        &BTreeMap::new(),
        &BTreeSet::new(),
        &LedgerScope::default(),
    )
    .await?;

    let mut merged: BTreeMap<&str, TripFacts> = BTreeMap::new();
    for (canonical, keys) in &result.into {
        let others = || keys.iter().filter_map(|key| trips.get(key));
        let own = trips.get(canonical).cloned().unwrap_or_default();
        merged.insert(canonical, own.merged_with(others()));
        let moved = others().flat_map(|trip| trip.quotes.keys().cloned()).collect();
        result.quotes.insert(canonical.clone(), moved);
    }
    write(tx, &merged, &result, &trips).await?;
    let (keys, canonicals): (Vec<String>, Vec<String>) = canonical_of.clone().into_iter().unzip();
    merge_projections(tx, &keys, &canonicals).await?;
    move_rows(tx, &keys, &canonicals).await?;

    for key in locked.key_of.values_mut() {
        if let Some(canonical) = canonical_of.get(key) {
            key.clone_from(canonical);
        }
    }
    locked.trips.retain(|key, _| !canonical_of.contains_key(key));
    for (canonical, facts) in merged {
        let TripFacts {
            status,
            status_first_seen_at,
            last_activity_at,
            quotes: _, // the caller loads these facts again
            rfqs: _,
            messages: _,
            others: _,
        } = facts;
        let trip = TripFacts {
            status,
            status_first_seen_at,
            last_activity_at,
            ..TripFacts::default()
        };
        locked.trips.insert(canonical.to_owned(), trip);
    }
    Ok(result)
}

/// Writes the facts that the merged trips add to the canonical ones.
async fn write(
    tx: &mut Transaction<'_>,
    merged: &BTreeMap<&str, TripFacts>,
    result: &MergeResult,
    trips: &BTreeMap<String, TripFacts>,
) -> Result<(), sqlx::Error> {
    let mut writes = FactWrites {
        trips: merged.iter().map(|(canonical, facts)| (*canonical, facts)).collect(),
        ..FactWrites::default()
    };
    for (trip_key, facts) in merged {
        let TripFacts {
            status: _, // written with the trip
            status_first_seen_at: _,
            last_activity_at: _,
            quotes,
            rfqs,
            messages: _, // `move_rows` moves them
            others: _,
        } = facts;
        let moved = result.quotes.get(*trip_key).into_iter().flatten();
        writes.quotes.extend(moved.filter_map(|id| {
            Some(QuoteWrite {
                trip_key,
                id,
                facts: quotes.get(id)?,
                projected: None,
            })
        }));
        let own = trips.get(*trip_key);
        let is_changed = |(id, rfq): &(&RfqId, &Rfq)| own.and_then(|trip| trip.rfqs.get(*id)) != Some(*rfq);
        let changed = rfqs.iter().filter(is_changed);
        writes
            .rfqs
            .extend(changed.map(|(id, facts)| RfqWrite { trip_key, id, facts }));
    }
    facts::write::write(tx, &writes).await?;
    Ok(())
}

/// Keeps one projection of each quote: the row that still exists, of the oldest session of the merged trips, with the values
/// that we wrote to it. Every other row belongs to the application from then on.
async fn merge_projections(
    tx: &mut Transaction<'_>,
    keys: &[String],
    canonicals: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH merged AS MATERIALIZED (
            SELECT key, canonical FROM unnest($1::text[], $2::text[]) AS merged (key, canonical)
            UNION
            SELECT canonical, canonical FROM unnest($2::text[]) AS merged (canonical)
        ), trip_ids AS MATERIALIZED (
            SELECT canonical, key AS id FROM merged
            UNION
            SELECT merged.canonical, alias.key
            FROM merged
            JOIN avinode_ingest.trips AS alias ON alias.merged_into = merged.key
        ), kept AS MATERIALIZED (
            SELECT DISTINCT ON (merged.canonical, fact.quote_id) merged.canonical, fact.quote_id, fact.projected_id,
                fact.projected_request_id, fact.own_request_id, fact.projected_values, fact.projection_error,
                fact.projection_failed_at, writer.payload
            FROM merged
            JOIN avinode_ingest.quote_facts AS fact ON fact.trip_key = merged.key
            LEFT JOIN public.quotes AS projected ON projected.id = fact.projected_id
            LEFT JOIN LATERAL (
                SELECT session.created_at, session.id
                FROM avinode_ingest.sessions_of_trips(ARRAY(
                    SELECT trip_ids.id FROM trip_ids WHERE trip_ids.canonical = merged.canonical
                )) AS found
                JOIN public.chat_sessions AS session ON session.id = found.session_id
                WHERE session.request_id = projected.request_id
                ORDER BY session.created_at, session.id
                LIMIT 1
            ) AS oldest ON true
            -- Both trips may have recorded values of the row that both stated. A payload has the record of one alone.
            LEFT JOIN LATERAL (
                SELECT jsonb_build_object('raw_webhook_payload', record.payload) AS payload
                FROM merged AS same
                JOIN avinode_ingest.quote_facts AS other ON other.trip_key = same.key
                CROSS JOIN LATERAL (SELECT other.projected_values -> 'raw_webhook_payload' AS payload) AS record
                WHERE same.canonical = merged.canonical AND other.quote_id = fact.quote_id
                    AND other.projected_id = fact.projected_id AND record.payload IS NOT NULL
                -- An empty column, which has no digest, was filled by the other one.
                ORDER BY record.payload ->> 'digest' NULLS LAST, other.trip_key
                LIMIT 1
            ) AS writer ON true
            WHERE fact.projected_id IS NOT NULL OR fact.projection_error IS NOT NULL
            -- If both trips project the quote to the same row, one of them inserted it and has its values; the other one
            -- adopted it and has none. A row that the application deleted is not inserted again for the other trip.
            ORDER BY merged.canonical, fact.quote_id, projected.id IS NULL, oldest.created_at, oldest.id,
                coalesce(fact.projected_values, '{}') = '{}', fact.projected_id, fact.trip_key
        )
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_id = kept.projected_id, projected_request_id = kept.projected_request_id,
            own_request_id = kept.own_request_id,
            projected_values = CASE
                WHEN kept.payload IS NULL THEN kept.projected_values
                ELSE coalesce(kept.projected_values, '{}') || kept.payload
            END,
            projection_error = kept.projection_error, projection_failed_at = kept.projection_failed_at
        FROM kept
        WHERE fact.trip_key = kept.canonical AND fact.quote_id = kept.quote_id
        "#,
        keys,
        canonicals
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves messages in the database (they have no content to merge, and a trip may have thousands), deletes the facts that the
/// canonical trips have by now, and makes the merged keys, and all keys that were merged into them before, lead to the
/// canonical keys.
async fn move_rows(tx: &mut Transaction<'_>, keys: &[String], canonicals: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH merged AS MATERIALIZED (
            SELECT key, canonical FROM unnest($1::text[], $2::text[]) AS merged (key, canonical)
        ), redirected AS MATERIALIZED (
            SELECT key, canonical FROM merged
            UNION ALL
            SELECT alias.key, merged.canonical
            FROM merged
            JOIN avinode_ingest.trips AS alias ON alias.merged_into = merged.key
        ), deleted_quotes AS (
            DELETE FROM avinode_ingest.quote_facts WHERE trip_key = ANY ($1)
        ), deleted_rfqs AS (
            DELETE FROM avinode_ingest.rfqs WHERE trip_key = ANY ($1)
        ), deleted_messages AS (
            DELETE FROM avinode_ingest.messages WHERE trip_key = ANY ($1) RETURNING trip_key, message_id
        ), moved_messages AS (
            INSERT INTO avinode_ingest.messages (trip_key, message_id)
            SELECT merged.canonical, deleted.message_id
            FROM deleted_messages AS deleted
            JOIN merged ON merged.key = deleted.trip_key
            ORDER BY merged.canonical, deleted.message_id
            ON CONFLICT DO NOTHING
        )
        UPDATE avinode_ingest.trips AS trip
        SET merged_into = redirected.canonical, status = NULL, status_at = NULL, status_source = NULL,
            status_digest = NULL, status_seen_at = NULL, statuses = NULL, status_first_seen_at = NULL,
            last_activity_at = NULL
        FROM redirected
        WHERE trip.key = redirected.key
        "#,
        keys,
        canonicals
    )
    .execute(tx)
    .await?;
    Ok(())
}
