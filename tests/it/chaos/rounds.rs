//! Rounds of faults under load, with a check of everything after each.

use std::collections::BTreeMap;
use std::time::Duration;

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use strum::IntoEnumIterator;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::deployment::Deployment;
use super::fault::Fault;
use super::model::{ExpectedSession, TRIPS, trip_id};
use super::senders::Sending;
use crate::crash::durable::Durable;
use crate::support::PATIENCE;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::dead_reasons;
use crate::support::sql::count;

/// From the end of a fault until a new delivery is acknowledged and applied (guarantee 13).
const RECOVERY: Duration = Duration::from_secs(10);
const FAULTS_PER_ROUND: usize = 5;

#[expect(
    clippy::disallowed_methods,
    reason = "the size of a test is no setting of the service"
)]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn under_random_faults_nothing_is_lost_or_counted_twice_and_all_recovers() {
    let seed = number("CHAOS_SEED", 1);
    let wanted = usize::try_from(number("CHAOS_FAULTS", 8)).unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let postgres = Durable::new().await;
    let mut sessions = Vec::new();
    for trip in 0..TRIPS {
        sessions.push(SessionBuilder::of_trip(&trip_id(trip)).insert(&postgres.pool).await);
    }
    postgres.checkpoint().await;
    let mut deployment = Deployment::start(postgres).await;
    let sending = Sending::new(seed, &deployment.receiver.address);
    let mut longest = BTreeMap::new();
    let (mut kinds, mut caused) = (Vec::new(), 0);
    while caused < wanted {
        let stop = CancellationToken::new();
        let mut senders = sending.start(&stop);
        for _ in 0..FAULTS_PER_ROUND.min(wanted - caused) {
            let fault = next(&mut kinds, &mut random);
            fault.cause(&mut deployment, &sending, &mut random).await;
            let recovery = recovered(&sending, &deployment, fault).await;
            let of_kind = longest.entry(fault).or_insert(recovery);
            *of_kind = recovery.max(*of_kind);
            caused += 1;
            println!(
                "fault {caused}: {fault}, work went on after {:.1} s",
                recovery.as_secs_f64()
            );
        }
        stop.cancel();
        while let Some(ended) = timeout(PATIENCE, senders.join_next()).await.unwrap() {
            ended.unwrap();
        }
        check(&sending, deployment.pool(), &sessions).await;
    }
    let longest_of_all = longest.values().max().copied().unwrap_or_default();
    for (fault, recovery) in &longest {
        println!("longest recovery after {fault}: {:.1} s", recovery.as_secs_f64());
    }
    println!(
        "seed {seed}: {caused} faults, {} events, {} deliveries acknowledged, 0 lost, 0 counted twice, longest recovery {:.1} s",
        sending.model.lock().unwrap().events(),
        sending.acknowledged.lock().unwrap().len(),
        longest_of_all.as_secs_f64()
    );
    assert!(longest_of_all <= RECOVERY, "{longest:?}");
}

/// Every kind comes up before one comes up again: `kinds` are those that are left.
fn next(kinds: &mut Vec<Fault>, random: &mut StdRng) -> Fault {
    if kinds.is_empty() {
        kinds.extend(Fault::iter());
        kinds.shuffle(random);
    }
    kinds.pop().unwrap()
}

/// Sends a new event, and returns the time until it is acknowledged and applied.
async fn recovered(sending: &Sending, deployment: &Deployment, fault: Fault) -> Duration {
    let began = Instant::now();
    let delivery = timeout(PATIENCE, sending.send_next()).await;
    let delivery = delivery.unwrap_or_else(|_| panic!("no delivery is acknowledged after {fault}"));
    eventually(PATIENCE, "a delivery is applied after the fault", async || {
        let done = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM avinode_ingest.outcomes WHERE delivery_id = $1");
        match done.bind(delivery).fetch_one(deployment.pool()).await {
            Ok(1) => Ok(()),
            _ => Err(queue(deployment.pool()).await),
        }
    })
    .await;
    began.elapsed()
}

/// The state of the queue, for a failure's message.
async fn queue(pool: &Pool) -> Result<(i64, i64, i64, i64), String> {
    let state =
        "SELECT count(*), count(*) FILTER (WHERE due_at <= now()), count(lease_token), count(*) FILTER (WHERE isolated)
        FROM avinode_ingest.jobs";
    let state = sqlx::query_as(state).fetch_one(pool).await;
    state.map_err(|error| error.to_string())
}

/// Holds the database against the answers and the model.
async fn check(sending: &Sending, pool: &Pool, sessions: &[Uuid]) {
    wait_until_settled(pool, PATIENCE).await.unwrap();
    let acknowledged = sending.acknowledged.lock().unwrap().clone();
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.deliveries WHERE id = ANY ($1)")
        .bind(&acknowledged)
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(
        usize::try_from(found).unwrap(),
        acknowledged.len(),
        "acknowledged and not kept"
    );
    assert_eq!(dead_reasons(pool).await, Vec::<String>::new());
    let (events, expected) = {
        let model = sending.model.lock().unwrap();
        (model.events(), model.expected())
    };
    let keys = count(pool, "SELECT count(*) FROM avinode_ingest.event_keys").await;
    assert_eq!(u64::try_from(keys).unwrap(), events, "events are known once each");
    for (session, expected) in sessions.iter().zip(expected) {
        assert_eq!(shown(pool, *session).await, (expected.quotes.len(), expected));
    }
    // A worker that was believed dead may still notice that its lease is gone.
    eventually(PATIENCE, "no job is leased", async || {
        let leased = "SELECT count(*) FROM avinode_ingest.jobs WHERE lease_token IS NOT NULL";
        equal(count(pool, leased).await, 0)
    })
    .await;
}

/// The count of a session, and its quotes.
async fn shown(pool: &Pool, session: Uuid) -> (usize, ExpectedSession) {
    let (counted, primary): (i32, Option<String>) = sqlx::query_as(
        "SELECT s.quotes_received_count, q.avinode_quote_id
         FROM public.chat_sessions s LEFT JOIN public.quotes q ON q.id = s.primary_quote_id WHERE s.id = $1",
    )
    .bind(session)
    .fetch_one(pool)
    .await
    .unwrap();
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT q.avinode_quote_id, q.total_price::bigint
         FROM public.quotes q JOIN public.chat_sessions s ON s.request_id = q.request_id WHERE s.id = $1",
    )
    .bind(session)
    .fetch_all(pool)
    .await
    .unwrap();
    let number = rows.len();
    let quotes: BTreeMap<String, u64> = rows
        .into_iter()
        .map(|(id, dollars)| (id, u64::try_from(dollars).unwrap()))
        .collect();
    assert_eq!(quotes.len(), number, "a quote has one row");
    (usize::try_from(counted).unwrap(), ExpectedSession { quotes, primary })
}
