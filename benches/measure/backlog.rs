//! A backlog as it looks after an outage: quote events of many trips, in random order.

use std::ops::Range;

use avinode_ingest::avinode::notification;
use avinode_ingest::clock::Clock;
use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::ingest::group_commit::receiver;
use avinode_ingest::ingest::memory_budget::MemoryBudget;
use avinode_ingest::ingest::new_delivery::NewDelivery;
use bytes::Bytes;
use chrono::{DateTime, Duration, SecondsFormat};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::Result;
use crate::database::Database;
use crate::serve::Serve;

/// Deliveries that are in flight at the same time while a backlog is received.
const IN_FLIGHT: usize = 2_000;

/// The trip with this number.
pub fn trip_id(number: usize) -> String {
    format!("atrip-{}", 10_000_000 + number)
}

pub fn quote_id(number: usize) -> String {
    format!("aquote-{}", 100_000_000 + number)
}

/// The quote event with this number. Trips take turns, an RFQ is answered by two quotes, and a higher number is a later time.
pub fn event(number: usize, trips: usize) -> String {
    let (trip, place) = (number % trips, number / trips);
    let rfq = 100_000_000 + (place / 2) * trips + trip;
    let time =
        DateTime::UNIX_EPOCH + Duration::days(20_000) + Duration::milliseconds(i64::try_from(number).unwrap_or(0));
    body(
        &format!("evt-{number}"),
        &time.to_rfc3339_opts(SecondsFormat::Millis, true),
        &trip_id(trip),
        &format!("arfq-{rfq}"),
        &quote_id(number),
    )
}

pub fn body(event_id: &str, time: &str, trip: &str, rfq: &str, quote: &str) -> String {
    format!(
        r#"{{"event":"TripRequestSellerResponse","eventId":"{event_id}","timestamp":"{time}","apiVersion":"v1.0","data":{{"type":"TripRequestSellerResponse","trip":{{"id":"{trip}","href":"https://sandbox.avinode.com/api/trips/{trip}"}},"request":{{"id":"{rfq}","href":"https://sandbox.avinode.com/api/rfqs/{rfq}","status":"quoted"}},"seller":{{"id":"seller-77","name":"Example Person","companyId":"company-42","companyName":"Northwind Jets"}},"quote":{{"id":"{quote}","href":"https://sandbox.avinode.com/api/quotes/{quote}","totalPrice":{{"amount":18500.50,"currency":"USD"}},"aircraft":{{"type":"Light Jet","model":"Example 300","tailNumber":"N000XX","capacity":7}},"schedule":{{"departureTime":"2026-03-01T09:00:00Z","arrivalTime":"2026-03-01T11:40:00Z"}}}}}}}}"#
    )
}

/// Inserts a session, a request and a conversation for each trip, as the application does, and has the workers match them.
pub async fn seed_trips(database: &Database, trips: usize) -> Result<()> {
    database.clear().await?;
    let (first, last) = (10_000_000, 10_000_000 + trips - 1);
    database
        .execute(format!(
            "INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name)
             VALUES ('00000000-0000-4000-8000-000000000001', 'user_example_broker', 'broker@example.com', 'Example Broker');
             INSERT INTO public.requests
                 (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers, avinode_trip_id)
             SELECT md5('request' || n)::uuid, '00000000-0000-4000-8000-000000000001', 'KTEB', 'KPBI',
                 now() + interval '14 days', 4, 'atrip-' || n
             FROM generate_series({first}, {last}) AS n;
             INSERT INTO public.conversations (id, request_id, subject)
             SELECT md5('conversation' || n)::uuid, md5('request' || n)::uuid, 'measured'
             FROM generate_series({first}, {last}) AS n;
             INSERT INTO public.chat_sessions
                 (id, conversation_id, request_id, iso_agent_id, status, avinode_trip_id, session_started_at, last_activity_at)
             SELECT md5('session' || n)::uuid, md5('conversation' || n)::uuid, md5('request' || n)::uuid,
                 '00000000-0000-4000-8000-000000000001', 'active', 'atrip-' || n, '2020-01-01', '2020-01-01'
             FROM generate_series({first}, {last}) AS n;"
        ))
        .await?;
    drain(database, 2).await
}

/// Runs workers until no job is due.
pub async fn drain(database: &Database, workers: usize) -> Result<()> {
    let serve = Serve::start(&database.url(), "work", workers).await?;
    wait_until_idle(database).await?;
    serve.stop().await
}

/// Waits until no job waits or runs.
pub async fn wait_until_idle(database: &Database) -> Result<()> {
    while sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM avinode_ingest.jobs WHERE due_at < now() + interval '5 minutes')",
    )
    .fetch_one(&database.pool)
    .await?
    {
        // Seldom: it takes CPU time from the workers, and no figure depends on it.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    Ok(())
}

/// The order in which a backlog was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Random,
    /// One trip after the other, for a history that is not measured: it is applied faster.
    ByTrip,
}

/// Receives events, by the group commit of the service: nothing but HTTP and the signature is left out.
pub async fn receive(database: &Database, events: Range<usize>, trips: usize, order: Order) -> Result<()> {
    let (receiver, committer) = receiver(&database.product_pool(), 2 * IN_FLIGHT, || ());
    let heartbeat = HeartbeatRegistry::new().register("receiver", std::time::Duration::from_secs(60));
    let committing = tokio::spawn(committer.run(heartbeat));
    let memory = MemoryBudget::new(usize::MAX);
    let mut numbers = shuffled(events);
    if order == Order::ByTrip {
        numbers.sort_by_key(|number| number % trips);
    }
    for numbers in numbers.chunks(IN_FLIGHT) {
        let mut received = Vec::with_capacity(numbers.len());
        for number in numbers {
            let memory = memory.reserve(0).ok_or("no memory")?;
            received.push(receiver.receive(delivery(event(*number, trips)), memory));
        }
        let received = join_all(received).await;
        for result in received {
            result?;
        }
    }
    drop(receiver);
    committing.await?;
    Ok(())
}

fn delivery(body: String) -> NewDelivery {
    let body = Bytes::from(body);
    NewDelivery {
        id: Uuid::now_v7(),
        received_at: Clock::System.now(),
        headers: vec![("content-type", "application/json".to_owned())],
        verified_by: "hmac#1".to_owned(),
        route: notification::classify(&body),
        body,
    }
}

/// The same order in every run.
fn shuffled(numbers: Range<usize>) -> Vec<usize> {
    let mut numbers = Vec::from_iter(numbers);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..numbers.len()).rev() {
        // xorshift64: no statistics are made of it.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        numbers.swap(last, usize::try_from(random >> 1).unwrap_or(0) % (last + 1));
    }
    numbers
}
