//! Merging: trips that a document shows to be one become one row with all their facts, under the id that stands for it.
//!
//! All of them are locked by the caller, so nobody else reads or writes their facts meanwhile. An id that gave way keeps its
//! row, which holds nothing and leads to the other in one step.

use std::collections::{BTreeMap, BTreeSet};

use super::facts;
use super::trips::{self, LockedTrips};
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::Rfq;
use crate::domain::trip::TripFacts;
use crate::domain::trip_identity;
use crate::postgres::transaction::Transaction;

/// What was merged.
#[derive(Debug, Default)]
pub struct MergeResult {
    /// By the key of a trip: the keys that gave way to it.
    pub into: BTreeMap<String, Vec<String>>,
    /// By the same: the quotes that came with them. What is shown of these may be an older fact than the newest of all.
    pub quotes: BTreeMap<String, BTreeSet<QuoteId>>,
}

/// Merges locked trips. `same`: ids that are one trip each; those that have one row already are left as they are. Afterwards
/// `locked` holds the merged trips as if there had been nothing else, without their facts.
pub async fn merge(
    tx: &mut Transaction<'_>,
    locked: &mut LockedTrips,
    same: &[Vec<String>],
) -> Result<MergeResult, sqlx::Error> {
    let keys = |ids: &Vec<String>| ids.iter().filter_map(|id| locked.key_of.get(id)).cloned().collect();
    let groups: Vec<Vec<String>> = same.iter().map(keys).collect();
    let gives_way = trip_identity::standing(&groups);
    let mut merged = MergeResult::default();
    if gives_way.is_empty() {
        return Ok(merged);
    }
    for (key, root) in &gives_way {
        merged.into.entry(root.clone()).or_default().push(key.clone());
    }
    let involved: BTreeSet<&String> = gives_way.keys().chain(gives_way.values()).collect();
    let mut trips: BTreeMap<String, TripFacts> = locked.trips.clone();
    trips.retain(|key, _| involved.contains(key));
    facts::load(tx, &mut trips, &BTreeSet::new()).await?;

    let mut wholes: BTreeMap<&str, TripFacts> = BTreeMap::new();
    for (root, keys) in &merged.into {
        let others = || keys.iter().filter_map(|key| trips.get(key));
        wholes.insert(root, trips.get(root).cloned().unwrap_or_default().with(others()));
        let came = others().flat_map(|trip| trip.quotes.keys().cloned()).collect();
        merged.quotes.insert(root.clone(), came);
    }
    write(tx, &wholes, &merged, &trips).await?;
    let (keys, roots): (Vec<String>, Vec<String>) = gives_way.clone().into_iter().unzip();
    keep_what_is_shown(tx, &keys, &roots).await?;
    move_messages(tx, &keys, &roots).await?;
    empty(tx, &keys).await?;
    lead(tx, &keys, &roots).await?;

    for key in locked.key_of.values_mut() {
        if let Some(root) = gives_way.get(key) {
            key.clone_from(root);
        }
    }
    locked.trips.retain(|key, _| !gives_way.contains_key(key));
    for (root, whole) in wholes {
        let trip = TripFacts {
            status: whole.status,
            last_activity_at: whole.last_activity_at,
            ..TripFacts::default()
        };
        locked.trips.insert(root.to_owned(), trip);
    }
    Ok(merged)
}

/// Writes what the united trips know more than the one that stands knew by itself.
async fn write(
    tx: &mut Transaction<'_>,
    wholes: &BTreeMap<&str, TripFacts>,
    merged: &MergeResult,
    trips: &BTreeMap<String, TripFacts>,
) -> Result<(), sqlx::Error> {
    let rows: Vec<(&str, &TripFacts)> = wholes.iter().map(|(root, whole)| (*root, whole)).collect();
    trips::write(tx, &rows).await?;
    let (mut quotes, mut requests) = (Vec::new(), Vec::new());
    for (root, whole) in rows {
        let came = merged.quotes.get(root).into_iter().flatten();
        quotes.extend(came.filter_map(|id| Some((root, id, whole.quotes.get(id)?))));
        let known = trips.get(root);
        let is_news = |(id, request): &(&RfqId, &Rfq)| known.and_then(|trip| trip.requests.get(*id)) != Some(*request);
        let news = whole.requests.iter().filter(is_news);
        requests.extend(news.map(|(id, request)| (root, id, request)));
    }
    if !quotes.is_empty() {
        facts::quotes::write(tx, &quotes).await?;
    }
    if !requests.is_empty() {
        facts::rfqs::write(tx, &requests).await?;
    }
    Ok(())
}

/// Of the places where a quote is shown one is kept: the row that is still there, of the oldest session among those of the
/// whole, and with it what we wrote there. Any other row is the application's from now on.
async fn keep_what_is_shown(tx: &mut Transaction<'_>, keys: &[String], roots: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH merged AS MATERIALIZED (
            SELECT key, root FROM unnest($1::text[], $2::text[]) AS merged (key, root)
            UNION
            SELECT root, root FROM unnest($2::text[]) AS merged (root)
        ), known AS MATERIALIZED (
            SELECT root, key AS id FROM merged
            UNION
            SELECT merged.root, alias.key
            FROM merged
            JOIN avinode_ingest.trips AS alias ON alias.merged_into = merged.key
        ), kept AS MATERIALIZED (
            SELECT DISTINCT ON (merged.root, fact.quote_id) merged.root, fact.quote_id, fact.projected_id, fact.projected,
                fact.projection_error, fact.refused_at
            FROM merged
            JOIN avinode_ingest.quotes AS fact ON fact.trip_key = merged.key
            LEFT JOIN public.quotes AS shown ON shown.id = fact.projected_id
            LEFT JOIN LATERAL (
                SELECT session.created_at, session.id
                FROM known
                JOIN public.chat_sessions AS session
                    ON avinode_ingest.normal_trip_id(session.avinode_trip_id) = known.id
                WHERE known.root = merged.root AND session.request_id = shown.request_id
                ORDER BY session.created_at, session.id
                LIMIT 1
            ) AS oldest ON true
            WHERE fact.projected_id IS NOT NULL OR fact.projection_error IS NOT NULL
            -- Where one row is shown by both, one of them made it and remembers what it wrote; the other adopted it and wrote
            -- nothing. And a row that the application deleted is not made again for the other's sake.
            ORDER BY merged.root, fact.quote_id, shown.id IS NULL, oldest.created_at, oldest.id,
                coalesce(fact.projected, '{}') = '{}', fact.projected_id, fact.trip_key
        )
        UPDATE avinode_ingest.quotes AS fact
        SET projected_id = kept.projected_id, projected = kept.projected, projection_error = kept.projection_error,
            refused_at = kept.refused_at
        FROM kept
        WHERE fact.trip_key = kept.root AND fact.quote_id = kept.quote_id
        "#,
        keys,
        roots
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Messages are known or not: nothing about them is to be united, and a trip may have thousands.
async fn move_messages(tx: &mut Transaction<'_>, keys: &[String], roots: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.messages (trip_key, message_id)
        SELECT merged.root, message.message_id
        FROM unnest($1::text[], $2::text[]) AS merged (key, root)
        JOIN avinode_ingest.messages AS message ON message.trip_key = merged.key
        ORDER BY merged.root, message.message_id
        ON CONFLICT DO NOTHING
        "#,
        keys,
        roots
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes the facts away that stand under the other id by now.
async fn empty(tx: &mut Transaction<'_>, keys: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM avinode_ingest.quotes WHERE trip_key = ANY ($1)", keys)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("DELETE FROM avinode_ingest.requests WHERE trip_key = ANY ($1)", keys)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("DELETE FROM avinode_ingest.messages WHERE trip_key = ANY ($1)", keys)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Has ids lead to the one that stands for their trip, and all that led to them as well.
async fn lead(tx: &mut Transaction<'_>, keys: &[String], roots: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        WITH merged AS MATERIALIZED (
            SELECT key, root FROM unnest($1::text[], $2::text[]) AS merged (key, root)
        ), led AS MATERIALIZED (
            SELECT key, root FROM merged
            UNION ALL
            SELECT alias.key, merged.root
            FROM merged
            JOIN avinode_ingest.trips AS alias ON alias.merged_into = merged.key
        )
        UPDATE avinode_ingest.trips AS trip
        SET merged_into = led.root, status = NULL, status_at = NULL, status_source = NULL, status_digest = NULL,
            status_seen_at = NULL, last_activity_at = NULL
        FROM led
        WHERE trip.key = led.key
        "#,
        keys,
        roots
    )
    .execute(tx)
    .await?;
    Ok(())
}
