//! Reads everything that is stored about a quote, a trip, an RFQ, a message, a delivery or a session.

pub mod bodies;
pub mod deliveries;
pub mod facts;
pub mod find;
pub mod sessions;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use self::deliveries::{TracedDelivery, TracedDocument, TracedJob};
use self::facts::TracedQuote;
use self::sessions::TracedSession;
use super::subject_filter::SubjectFilter;
use super::trips;
use crate::postgres::transaction::Pool;
use crate::store::rejected_requests::{self, RejectionSummary};

/// The thing that an id names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum TraceTarget {
    Delivery(Uuid),
    Session(Uuid),
    Quote(String),
    Rfq(String),
    Trip(String),
    /// A message. It is found in the bodies of deliveries and as a document.
    Message(String),
}

/// The stored rows about a target.
#[derive(Debug, Clone)]
pub struct TraceMaterial {
    pub target: TraceTarget,
    /// All ids of its trips.
    pub trips: Vec<String>,
    pub deliveries: Vec<TracedDelivery>,
    /// Only the bodies of the deliveries name the target: nothing about it was read from them.
    pub is_named_only: bool,
    /// Jobs without a delivery that are not done: fetches, rematches.
    pub jobs: Vec<TracedJob>,
    pub documents: Vec<TracedDocument>,
    pub quotes: Vec<TracedQuote>,
    pub sessions: Vec<TracedSession>,
    pub rejections: Vec<RejectionSummary>,
}

/// Reads what is stored about a target. `mentions` returns whether the bytes of a delivery name an id: waiting and dead deliveries are
/// searched by it, and all of the newest ones for a message, and for what is stored nowhere else.
pub async fn read(
    pool: &Pool,
    target: TraceTarget,
    mentions: impl Fn(&[u8], &str) -> bool,
) -> Result<TraceMaterial, sqlx::Error> {
    let filter = filter(&target);
    let mut ids: BTreeSet<Uuid> = match (&target, filter.is_empty()) {
        (TraceTarget::Delivery(delivery), _) => BTreeSet::from([*delivery]),
        (_, true) => BTreeSet::new(),
        (_, false) => deliveries::about(pool, &filter).await?.into_iter().collect(),
    };
    let mut tx = pool.begin().await?;
    let mut trips = match &target {
        TraceTarget::Delivery(_) | TraceTarget::Message(_) => Vec::new(),
        TraceTarget::Session(session) => trips::of_session(&mut tx, *session).await?,
        TraceTarget::Quote(quote) => trips::of_quote(&mut tx, quote).await?,
        TraceTarget::Rfq(rfq) => trips::of_rfq(&mut tx, rfq).await?,
        TraceTarget::Trip(trip) => trips::with_aliases(&mut tx, std::slice::from_ref(trip)).await?,
    };
    tx.commit().await?;
    let own: Vec<String> = match &target {
        TraceTarget::Quote(id) | TraceTarget::Rfq(id) | TraceTarget::Message(id) => vec![id.clone()],
        TraceTarget::Trip(_) | TraceTarget::Session(_) => trips.clone(),
        TraceTarget::Delivery(_) => Vec::new(),
    };
    let unread = deliveries::unread(pool, &own).await?.into_iter();
    ids.extend(
        unread
            .filter(|(_, body)| own.iter().any(|id| mentions(body, id)))
            .map(|(id, _)| id),
    );
    if let TraceTarget::Message(_) = target {
        ids.extend(bodies::naming(pool, &own, &mentions).await?);
    }

    let mut tx = pool.begin().await?;
    let mut deliveries = deliveries::read(&mut tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    if let TraceTarget::Delivery(_) | TraceTarget::Message(_) = target {
        let named: Vec<String> = deliveries.iter().filter_map(|delivery| delivery.trip.clone()).collect();
        trips = trips::with_aliases(&mut tx, &named).await?;
    }
    let quotes = match &target {
        TraceTarget::Quote(quote) => facts::quotes(&mut tx, std::slice::from_ref(quote), &[], &[]).await?,
        TraceTarget::Rfq(rfq) => facts::quotes(&mut tx, &[], &[], std::slice::from_ref(rfq)).await?,
        TraceTarget::Trip(_) | TraceTarget::Session(_) => facts::quotes(&mut tx, &[], &trips, &[]).await?,
        TraceTarget::Delivery(_) | TraceTarget::Message(_) => {
            let named: Vec<String> = deliveries.iter().flat_map(|delivery| delivery.quotes.clone()).collect();
            facts::quotes(&mut tx, &named, &[], &[]).await?
        }
    };
    let mut resources: BTreeSet<String> = own.iter().cloned().collect();
    match &target {
        TraceTarget::Trip(_) | TraceTarget::Session(_) => resources.extend(trips::resources(&mut tx, &trips).await?),
        TraceTarget::Quote(_) => resources.extend(quotes.iter().filter_map(|quote| quote.rfq.clone())),
        TraceTarget::Rfq(_) => resources.extend(quotes.iter().map(|quote| quote.id.clone())),
        TraceTarget::Delivery(_) | TraceTarget::Message(_) => {}
    }
    let fetched = deliveries.iter().flat_map(|delivery| &delivery.jobs);
    resources.extend(fetched.filter_map(|job| job.key.clone()));
    let resources: Vec<String> = resources.into_iter().collect();
    let documents = deliveries::documents(&mut tx, &resources).await?;

    let mut sessions: BTreeSet<Uuid> = facts::sessions_of_trips(&mut tx, &trips).await?.into_iter().collect();
    sessions.extend(
        quotes
            .iter()
            .flat_map(|quote| quote.counted.iter().map(|counted| counted.session)),
    );
    sessions.extend(deliveries.iter().flat_map(|delivery| delivery.sessions.iter().copied()));
    if let TraceTarget::Session(session) = target {
        sessions = BTreeSet::from([session]);
    }
    let sessions: Vec<Uuid> = sessions.into_iter().collect();
    let keys: Vec<String> = resources
        .iter()
        .cloned()
        .chain(sessions.iter().map(Uuid::to_string))
        .collect();
    let jobs = deliveries::jobs_of_keys(&mut tx, &keys).await?;
    let sessions = sessions::read(&mut tx, &sessions).await?;
    tx.commit().await?;
    let is_unknown = deliveries.is_empty() && quotes.is_empty() && documents.is_empty();
    if is_unknown && !matches!(target, TraceTarget::Delivery(_) | TraceTarget::Message(_)) {
        let naming: Vec<Uuid> = bodies::naming(pool, &own, &mentions).await?.into_iter().collect();
        let mut tx = pool.begin().await?;
        deliveries = deliveries::read(&mut tx, &naming).await?;
        tx.commit().await?;
    }
    Ok(TraceMaterial {
        rejections: rejected_requests::by_reason(pool).await?,
        target,
        trips,
        is_named_only: is_unknown && !deliveries.is_empty(),
        deliveries,
        jobs,
        documents,
        quotes,
        sessions,
    })
}

fn filter(target: &TraceTarget) -> SubjectFilter {
    let mut filter = SubjectFilter::default();
    match target {
        TraceTarget::Delivery(_) | TraceTarget::Message(_) => {}
        TraceTarget::Session(session) => filter.session = Some(*session),
        TraceTarget::Quote(quote) => filter.quote = Some(quote.clone()),
        TraceTarget::Rfq(rfq) => filter.rfq = Some(rfq.clone()),
        TraceTarget::Trip(trip) => filter.trip = Some(trip.clone()),
    }
    filter
}
