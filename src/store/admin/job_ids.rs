//! The unfinished jobs about a trip, an RFQ, a quote, a session or an event: by their delivery, or by their key.

use sqlx::{QueryBuilder, Row};

use super::subject_filter::{DeliveryRange, SubjectFilter, SubjectScope};
use super::trace::facts;
use super::trips;
use crate::postgres::transaction::{Pool, Transaction};

/// The deliveries of one id that are looked at: those received last.
const MAX_DELIVERIES: i64 = 10_000;

/// Returns the ids of the jobs that are about every id of the filter.
pub async fn about(pool: &Pool, filter: &SubjectFilter) -> Result<Vec<i64>, sqlx::Error> {
    let mut common: Option<Vec<i64>> = None;
    for one in each(filter) {
        let scope = SubjectScope::read(pool, &one).await?;
        let mut tx = pool.begin().await?;
        let keys = keys(&mut tx, &one, &scope).await?;
        let ids = of_one(&mut tx, &scope, &keys).await?;
        tx.commit().await?;
        common = Some(match common {
            Some(before) => before.into_iter().filter(|id| ids.contains(id)).collect(),
            None => ids,
        });
    }
    Ok(common.unwrap_or_default())
}

/// A filter for each id.
fn each(filter: &SubjectFilter) -> Vec<SubjectFilter> {
    let SubjectFilter {
        trip,
        rfq,
        quote,
        session,
        event,
    } = filter.clone();
    let none = SubjectFilter::default;
    let all = [
        SubjectFilter { trip, ..none() },
        SubjectFilter { rfq, ..none() },
        SubjectFilter { quote, ..none() },
        SubjectFilter { session, ..none() },
        SubjectFilter { event, ..none() },
    ];
    all.into_iter().filter(|one| !one.is_empty()).collect()
}

/// The keys that jobs about the id may have: ids of resources to fetch, and of sessions to rematch.
async fn keys(tx: &mut Transaction<'_>, one: &SubjectFilter, scope: &SubjectScope) -> Result<Vec<String>, sqlx::Error> {
    let mut keys: Vec<String> = one.rfq.iter().chain(&one.quote).cloned().collect();
    keys.extend(one.session.map(|session| session.to_string()));
    if let Some(own) = scope.own_trips() {
        keys.extend(trips::resources(tx, own).await?);
        keys.extend(own.iter().cloned());
    }
    if one.trip.is_some() {
        let own = scope.own_trips().map(Vec::as_slice).unwrap_or_default();
        let sessions = facts::sessions_of_trips(tx, own).await?;
        keys.extend(sessions.iter().map(ToString::to_string));
    }
    Ok(keys)
}

async fn of_one(tx: &mut Transaction<'_>, scope: &SubjectScope, keys: &[String]) -> Result<Vec<i64>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT DISTINCT id FROM (");
    scope.push_deliveries(&mut query, &DeliveryRange::default(), None);
    query
        .push(") AS named ORDER BY id DESC LIMIT ")
        .push_bind(MAX_DELIVERIES);
    let rows = query.build().persistent(false).fetch_all(&mut *tx).await?;
    let deliveries: Vec<uuid::Uuid> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let trips = scope.own_trips().cloned().unwrap_or_default();
    sqlx::query_scalar!(
        r#"
        SELECT id AS "id!" FROM avinode_ingest.dead_jobs WHERE delivery_id = ANY ($1)
        UNION
        SELECT id FROM avinode_ingest.dead_jobs WHERE key = ANY ($2)
        UNION
        SELECT id FROM avinode_ingest.jobs
        WHERE key = ANY ($2)
            -- The kinds with ids as keys: the index begins with the kind.
            AND kind IN ('rematch', 'fetch_notified', 'fetch_follow_up', 'reconcile', 'fetch_speculative')
        UNION
        SELECT id FROM avinode_ingest.jobs WHERE batch_key = ANY ($3) AND lease_token IS NULL
        UNION
        -- Jobs that were read before: retried ones, and replays.
        SELECT job.id
        FROM avinode_ingest.delivery_subjects AS subject
        JOIN avinode_ingest.jobs AS job ON job.id = subject.job_id
        WHERE subject.delivery_id = ANY ($1)
        "#,
        &deliveries,
        keys,
        &trips,
    )
    .fetch_all(tx)
    .await
}
