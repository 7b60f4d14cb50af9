//! Loads RFQs, sums of the facts that are not loaded, and the ledgers of sessions in one statement: each further one would be a
//! round trip in the transaction of every event.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::Rfq;
use crate::domain::trip::{OtherFacts, TripFacts};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::version::{self, VersionColumns};

/// The entries of ledgers to load.
#[derive(Debug, Default)]
pub struct LedgerScope {
    /// Sessions with all their entries.
    pub complete: Vec<Uuid>,
    /// Entries by session and quote.
    pub named: Vec<(Uuid, QuoteId)>,
}

/// The loaded entries by session.
pub type Ledgers = BTreeMap<Uuid, BTreeSet<QuoteId>>;

/// The RFQs of locked trips to load.
#[derive(Debug, Default)]
pub(super) struct RfqScope<'a> {
    /// Trips with all their RFQs.
    pub(super) complete: &'a [String],
    pub(super) named: BTreeSet<(String, RfqId)>,
    /// Trips whose other facts are summed up. Those that are loaded are, at this moment, as they are stored.
    pub(super) partial: &'a [String],
}

/// Adds RFQs and sums to their trips, and returns the ledgers.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    rfqs: &RfqScope<'_>,
    ledgers: &LedgerScope,
) -> Result<Ledgers, sqlx::Error> {
    let RfqScope {
        complete,
        named,
        partial,
    } = rfqs;
    let mut by_session = Ledgers::new();
    if complete.is_empty() && named.is_empty() && partial.is_empty() && ledgers.is_empty() {
        return Ok(by_session);
    }
    // LATERAL with OFFSET 0 is never turned into a join, for which the planner, who overestimates the rows, would read whole
    // tables. A row of the result has the columns of one part; the others are null.
    let rows = sqlx::query!(
        r#"
        SELECT rfq.trip_key AS "trip_key?", rfq.rfq_id AS "rfq_id?", rfq.sent AS "sent?", rfq.declined AS "declined?",
            rfq.declined_at AS "declined_at?", rfq.declined_seen_at AS "declined_seen_at?",
            rfq.declined_source AS "declined_source?", rfq.declined_digest AS "declined_digest?",
            rfq.decline_reason AS "decline_reason?", rfq.declines AS "declines?",
            rfq.cancelled_at AS "cancelled_at?", other.open_rfqs AS "open_rfqs?", other.cancelled_rfqs AS "cancelled_rfqs?",
            other.key AS "partial_trip?", other.sent_rfqs AS "sent_rfqs?",
            other.has_contacted_sellers AS "has_contacted_sellers?",
            entry.session_id AS "session_id?", entry.quote_id AS "quote_id?"
        FROM (
            SELECT trip_key, rfq_id, sent, declined, declined_at, declined_seen_at, declined_source, declined_digest,
                decline_reason, declines, cancelled_at
            FROM avinode_ingest.rfqs
            WHERE trip_key = ANY ($1)
            UNION ALL
            SELECT known.*
            FROM unnest($2::text[], $3::text[]) AS named (trip_key, rfq_id)
            CROSS JOIN LATERAL (
                SELECT trip_key, rfq_id, sent, declined, declined_at, declined_seen_at, declined_source, declined_digest,
                    decline_reason, declines, cancelled_at
                FROM avinode_ingest.rfqs
                WHERE trip_key = named.trip_key AND rfq_id = named.rfq_id
                OFFSET 0
            ) AS known
        ) AS rfq
        FULL JOIN (
            SELECT trip.key, sums.sent_rfqs, sums.open_rfqs, sums.cancelled_rfqs,
                (
                    EXISTS (SELECT FROM avinode_ingest.quote_facts WHERE trip_key = trip.key AND (received OR declined))
                    OR EXISTS (SELECT FROM avinode_ingest.rfqs WHERE trip_key = trip.key AND (sent OR declined))
                ) AS has_contacted_sellers
            FROM unnest($4::text[]) AS trip (key)
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE sent) AS sent_rfqs, count(*) - count(cancelled_at) AS open_rfqs,
                    count(cancelled_at) AS cancelled_rfqs
                FROM avinode_ingest.rfqs
                WHERE trip_key = trip.key
            ) AS sums
        ) AS other ON false
        FULL JOIN (
            SELECT session_id, quote_id
            FROM avinode_ingest.ledger
            WHERE session_id = ANY ($5)
            UNION ALL
            SELECT known.session_id, known.quote_id
            FROM unnest($6::uuid[], $7::text[]) AS named (session_id, quote_id)
            CROSS JOIN LATERAL (
                SELECT session_id, quote_id
                FROM avinode_ingest.ledger
                WHERE session_id = named.session_id AND quote_id = named.quote_id
                OFFSET 0
            ) AS known
        ) AS entry ON false
        "#,
        *complete,
        &column(named, |(key, _)| key.as_str()) as &[&str],
        &column(named, |(_, rfq)| rfq.as_str()) as &[&str],
        *partial,
        &ledgers.complete,
        &column(&ledgers.named, |(session, _)| *session),
        &column(&ledgers.named, |(_, quote)| quote.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    let mut sums = Vec::new();
    for row in rows {
        if let (Some(session), Some(quote)) = (row.session_id, row.quote_id) {
            by_session.entry(session).or_default().extend(QuoteId::parse(&quote));
        } else if let (Some(trip), Some(sent), Some(has_contacted)) =
            (row.partial_trip, row.sent_rfqs, row.has_contacted_sellers)
        {
            let count = |all: Option<i64>| usize::try_from(all.unwrap_or_default()).unwrap_or(usize::MAX);
            let all = OtherFacts {
                sent_rfqs: count(Some(sent)),
                has_contacted_sellers: has_contacted,
                open_rfqs: count(row.open_rfqs),
                cancelled_rfqs: count(row.cancelled_rfqs),
            };
            sums.push((trip, all));
        } else if let (Some(trip_key), Some(id)) = (row.trip_key, row.rfq_id)
            && let (Some(trip), Ok(id)) = (trips.get_mut(&trip_key), RfqId::parse(&id))
        {
            let decline = VersionColumns {
                at: row.declined_at,
                seen_at: row.declined_seen_at,
                source: row.declined_source,
                digest: row.declined_digest,
            };
            let is_declined = row.declined.unwrap_or_default();
            let newest = decline.read().filter(|_| is_declined).zip(Some(row.decline_reason));
            let decline = version::read_newest(row.declines, newest);
            let rfq = Rfq {
                sent: row.sent.unwrap_or_default(),
                cancelled_at: row.cancelled_at,
                decline,
            };
            trip.rfqs.insert(id, rfq);
        }
    }
    for (key, all) in sums {
        let Some(trip) = trips.get_mut(&key) else { continue };
        trip.others = Some(OtherFacts {
            sent_rfqs: all.sent_rfqs.saturating_sub(trip.sent_rfqs()),
            has_contacted_sellers: all.has_contacted_sellers,
            open_rfqs: all.open_rfqs.saturating_sub(trip.open_rfqs()),
            cancelled_rfqs: all.cancelled_rfqs.saturating_sub(trip.rfqs.len() - trip.open_rfqs()),
        });
    }
    Ok(by_session)
}

impl LedgerScope {
    fn is_empty(&self) -> bool {
        self.complete.is_empty() && self.named.is_empty()
    }
}
