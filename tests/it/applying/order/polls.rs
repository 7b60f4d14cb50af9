//! Generated histories in which the application writes rows of `quotes` as well: before, between and after the deliveries.

use std::collections::BTreeSet;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::maintenance;
use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{ShuffledRun, run_in_order, run_shuffled, runs};
use crate::support::cluster::Db;
use crate::support::generators::{self, ReceivedBody};
use crate::support::snapshot::{assert_same, dead_jobs, snapshot};
use crate::support::sql::{count, text};
use crate::support::worker::{run_until_idle, worker_at};

const CASES: u32 = 6;

/// A row that the application writes with the price of one delivery, which may come later.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    /// Before the delivery or commit with this number.
    place: usize,
    quote_id: String,
    price: i64,
    /// As older code of the application wrote it, before all deliveries: with the id in the metadata only.
    in_metadata: bool,
}

/// Polls of the quotes of deliveries with a price: the delivery's number, the place, and the form of the row.
fn polls_of(bodies: &[ReceivedBody], chosen: &[(prop::sample::Index, usize, bool)]) -> Vec<Poll> {
    let priced: Vec<(String, i64)> = bodies
        .iter()
        .filter_map(|(body, _)| {
            let quote = &body["data"]["quote"];
            let (id, price) = (quote["id"].as_str()?, quote["totalPrice"]["amount"].as_i64()?);
            subject(id).map(|_| (id.to_owned(), price))
        })
        .collect();
    if priced.is_empty() {
        return Vec::new();
    }
    let mut in_metadata = BTreeSet::new();
    let mut polls = Vec::new();
    for (number, place, is_old) in chosen {
        let (quote_id, price) = number.get(&priced).clone();
        let is_first = !polls.iter().any(|poll: &Poll| poll.quote_id == quote_id);
        if *is_old && is_first {
            in_metadata.insert(quote_id.clone());
        } else if in_metadata.contains(&quote_id) {
            continue; // an upsert would make a second row
        }
        polls.push(Poll {
            place: if *is_old && is_first { 0 } else { *place },
            in_metadata: *is_old && is_first,
            quote_id,
            price,
        });
    }
    polls
}

/// The session with a request on the trip of a generated quote.
fn subject(quote_id: &str) -> Option<&'static str> {
    match quote_id.strip_prefix("aquote-")?.chars().next()? {
        '0' => Some("first"),
        '1' => Some("with initial counts"),
        '2' => Some("late trip id"),
        _ => None,
    }
}

/// Writes the polls with this place.
pub(super) async fn write(db: &Db, polls: &[Poll], place: usize) {
    for poll in polls.iter().filter(|poll| poll.place == place) {
        upsert(db, poll).await;
    }
}

/// Writes the polls with this place or a later one.
pub(super) async fn write_rest(db: &Db, polls: &[Poll], place: usize) {
    for poll in polls.iter().filter(|poll| poll.place >= place) {
        upsert(db, poll).await;
    }
}

async fn upsert(db: &Db, poll: &Poll) {
    let Poll {
        place: _,
        quote_id,
        price,
        in_metadata,
    } = poll;
    let (id, metadata) = match in_metadata {
        true => ("NULL".to_owned(), format!("{{\"avinode_quote_id\": \"{quote_id}\"}}")),
        false => (format!("'{quote_id}'"), "{}".to_owned()),
    };
    let subject = subject(quote_id).unwrap();
    db.run(&format!(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status,
            avinode_quote_id, metadata)
         SELECT session.request_id, 'polled', 'Polled', {price}, {price}, 'Polled', 'received', {id}, '{metadata}'
         FROM public.chat_sessions AS session
         JOIN public.conversations AS conversation ON conversation.id = session.conversation_id
         WHERE conversation.subject = '{subject}'
         ON CONFLICT (avinode_quote_id) DO UPDATE
         SET base_price = EXCLUDED.base_price, total_price = EXCLUDED.total_price"
    ))
    .await;
}

fn polled_runs() -> impl Strategy<Value = (Vec<ReceivedBody>, ShuffledRun, Vec<Poll>, Vec<Poll>)> {
    let chosen = prop::collection::vec(
        (any::<prop::sample::Index>(), 0..12_usize, prop::bool::weighted(0.3)),
        1..8,
    );
    (runs(), chosen, prop::collection::vec(0..12_usize, 8)).prop_map(|((bodies, shuffled), chosen, other_places)| {
        let polls = polls_of(&bodies, &chosen);
        let elsewhere = polls.iter().zip(other_places).map(|(poll, place)| Poll {
            place: if poll.in_metadata { 0 } else { place },
            ..poll.clone()
        });
        let elsewhere = elsewhere.collect();
        (bodies, shuffled, polls, elsewhere)
    })
}

async fn application() -> Db {
    let db = Db::new().await;
    // As an application's table has it.
    db.run("CREATE UNIQUE INDEX quotes_of_the_application ON public.quotes (avinode_quote_id)")
        .await;
    db
}

/// Everything that must not depend on the order; of the rows only the prices, because the rest shows who inserted them.
async fn end(db: &Db) -> Vec<(&'static str, Value)> {
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_until_idle(&worker_at(&db.pool, Clock::Fixed(generators::now()))).await;
    let mut parts = snapshot(&db.pool).await;
    parts.retain(|(name, _)| *name != "projected quotes");
    let prices =
        "SELECT jsonb_object_agg(f.trip_key || ' ' || f.quote_id, jsonb_build_array(q.base_price, q.total_price))::text
        FROM public.quotes q JOIN avinode_ingest.quote_facts f ON f.projected_id = q.id WHERE f.amount IS NOT NULL";
    let prices = text(&db.pool, prices)
        .await
        .map(|prices| serde_json::from_str(&prices).unwrap());
    parts.push(("prices", prices.unwrap_or_default()));
    parts
}

#[test]
fn any_order_of_deliveries_beside_rows_of_the_application_ends_in_the_same_sessions_and_prices() {
    const OLDER: &str =
        "SELECT count(*) FROM public.quotes q JOIN avinode_ingest.quote_facts f ON f.projected_id = q.id
        WHERE f.amount IS NOT NULL AND q.total_price <> f.amount";
    const TWICE: &str =
        "SELECT count(*) - count(DISTINCT avinode_ingest.row_quote_id(avinode_quote_id, metadata)) FROM public.quotes";
    let runtime = Runtime::new().unwrap();
    generators::check(CASES, &polled_runs(), |(bodies, shuffled, polls, elsewhere)| {
        runtime.block_on(async {
            let (reference, db) = (application().await, application().await);
            let policy = PrimaryQuotePolicy::Latest;
            tokio::join!(
                run_in_order(&reference, policy, &bodies, &polls),
                run_shuffled(&db, policy, &shuffled, &elsewhere)
            );
            assert_same(&end(&reference).await, &end(&db).await);
            for db in [&reference, &db] {
                let (older, twice) = (count(&db.pool, OLDER).await, count(&db.pool, TWICE).await);
                assert_eq!((older, twice, dead_jobs(&db.pool).await), (0, 0, 0));
            }
        });
    });
}
