//! The application and the workers write the same sessions concurrently: no write of the application's fails or waits for
//! ever, and no change is lost (guarantees 5, 7 and 9).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::support::bodies::{base, decline, message, quote, trip};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;
use crate::support::race::delay_one_side;
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::dead_jobs;
use crate::support::worker::worker;
use crate::support::worker_pool::WorkerPool;

const TRIPS: usize = 3;

/// The application's writes to a session that the test verifies.
#[derive(Debug, Default, Clone)]
struct Written {
    count: i32,
    messages: i32,
    /// The primary quote written last, if any was.
    primary: Option<Option<Uuid>>,
}

type Notes = Arc<Mutex<BTreeMap<Uuid, Written>>>;

fn trip_id(number: usize) -> String {
    format!("atrip-{number}")
}

/// A transaction that writes several sessions in random order, with random changes.
async fn write_several(pool: &Pool, sessions: &[Uuid], notes: &Notes, random: &mut StdRng) -> Result<(), sqlx::Error> {
    let mut chosen = sessions.to_vec();
    chosen.shuffle(random);
    chosen.truncate(random.random_range(2..5));
    let mut tx = pool.application().await;
    let mut written = BTreeMap::new();
    for session in chosen {
        let mut note = Written::default();
        match random.random_range(0..5) {
            0 => {
                execute(&mut tx, "quotes_received_count = quotes_received_count + 1", session).await?;
                note.count = 1;
            }
            1 => {
                let trip = random.random_range(0..=TRIPS);
                sqlx::query("UPDATE public.chat_sessions SET avinode_trip_id = $2 WHERE id = $1")
                    .bind(session)
                    .bind((trip < TRIPS).then(|| trip.to_string()))
                    .execute(&mut *tx)
                    .await?;
            }
            2 => {
                let shown = sqlx::query_scalar("SELECT id FROM public.quotes ORDER BY random() LIMIT 1");
                let shown: Option<Uuid> = shown.fetch_optional(&mut *tx).await?;
                let old: Option<Uuid> =
                    sqlx::query_scalar("SELECT primary_quote_id FROM public.chat_sessions WHERE id = $1 FOR UPDATE")
                        .bind(session)
                        .fetch_one(&mut *tx)
                        .await?;
                let new = shown.filter(|_| random.random_bool(0.7));
                sqlx::query("UPDATE public.chat_sessions SET primary_quote_id = $2 WHERE id = $1")
                    .bind(session)
                    .bind(new)
                    .execute(&mut *tx)
                    .await?;
                // Writing the same value again does not pin it.
                note.primary = (old != new).then_some(new);
            }
            3 => {
                execute(&mut tx, "message_count = message_count + 1", session).await?;
                note.messages = 1;
                let analyzed = "UPDATE public.quotes SET status = 'analyzed' WHERE id IN
                    (SELECT id FROM public.quotes ORDER BY random() LIMIT 3)";
                sqlx::query(analyzed).execute(&mut *tx).await?;
            }
            _ => {
                let locked = sqlx::query("SELECT FROM public.chat_sessions WHERE id = $1 FOR UPDATE").bind(session);
                locked.execute(&mut *tx).await?;
            }
        }
        delay_one_side(Duration::from_millis(random.random_range(0..4))).await;
        written.insert(session, note);
    }
    let rolled_back = random.random_bool(0.1);
    if rolled_back {
        return tx.rollback().await;
    }
    // Recorded while the locks are held, so that the last record belongs to the last transaction.
    for (session, one) in written {
        let mut notes = notes.lock().unwrap();
        let note = notes.entry(session).or_default();
        note.count += one.count;
        note.messages += one.messages;
        note.primary = one.primary.or(note.primary);
    }
    tx.commit().await
}

async fn execute(tx: &mut Transaction<'_, Postgres>, set: &'static str, session: Uuid) -> Result<(), sqlx::Error> {
    let statement = sqlx::AssertSqlSafe(format!("UPDATE public.chat_sessions SET {set} WHERE id = $1"));
    sqlx::query(statement).bind(session).execute(&mut **tx).await?;
    Ok(())
}

/// Statements that write one session each.
async fn write_single(pool: &Pool, sessions: &[Uuid], notes: &Notes, mut random: StdRng) {
    for _ in 0..120 {
        let session = sessions[random.random_range(0..sessions.len())];
        let statement = "UPDATE public.chat_sessions SET message_count = message_count + 1 WHERE id = $1";
        sqlx::query(statement).bind(session).execute(pool).await.unwrap();
        notes.lock().unwrap().entry(session).or_default().messages += 1;
    }
}

/// Receives events of all trips, a few at a time.
async fn deliver(pool: &Pool, mut random: StdRng) {
    for round in 0..40_i64 {
        let bodies: Vec<_> = (0..TRIPS)
            .map(|number| {
                let (on, event) = (trip_id(number), format!("evt-{number}-{round}"));
                let (rfq, id) = (format!("arfq-{number}"), format!("aquote-{number}-{}", round / 2));
                match random.random_range(0..6) {
                    0 => decline(&event, &on, &rfq, round),
                    1 => message(&event, &on, &format!("amsg-{number}-{round}"), round),
                    2 => trip(&event, &on, &format!("{rfq}-{round}"), "created", round),
                    _ => quote(&event, &on, &rfq, &id, round, "10000", "USD"),
                }
            })
            .collect();
        store_deliveries(pool, &bodies, base()).await;
        delay_one_side(Duration::from_millis(random.random_range(0..30))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_of_workers_and_the_application_neither_fail_nor_get_lost() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    for number in 0..8 {
        sessions.push(SessionBuilder::of_trip(&trip_id(number % TRIPS)).insert(&db.pool).await);
    }
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let notes = Notes::default();
    // Only one task writes several sessions: two such tasks would deadlock with each other.
    let several = async {
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..60 {
            write_several(&db.pool, &sessions, &notes, &mut random).await.unwrap();
        }
    };
    tokio::join!(
        several,
        write_single(&db.pool, &sessions, &notes, StdRng::seed_from_u64(8)),
        write_single(&db.pool, &sessions, &notes, StdRng::seed_from_u64(9)),
        deliver(&db.pool, StdRng::seed_from_u64(10)),
    );
    workers.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    assert_nothing_is_lost(&db.pool, &sessions, &notes).await;
}

async fn assert_nothing_is_lost(pool: &Pool, sessions: &[Uuid], notes: &Notes) {
    for session in sessions {
        let note = notes.lock().unwrap().get(session).cloned().unwrap_or_default();
        let (count, messages, primary, ledger, missing): (i32, i32, Option<Uuid>, i64, i64) = sqlx::query_as(
            "SELECT quotes_received_count, message_count, primary_quote_id,
                (SELECT count(*) FROM avinode_ingest.ledger WHERE session_id = session.id AND counted),
                (SELECT count(*) FROM avinode_ingest.quote_facts AS fact
                 WHERE fact.trip_key = avinode_ingest.normal_trip_id(session.avinode_trip_id) AND fact.received
                    AND NOT EXISTS (SELECT FROM avinode_ingest.ledger
                        WHERE session_id = session.id AND quote_id = fact.quote_id))
             FROM public.chat_sessions AS session WHERE id = $1",
        )
        .bind(session)
        .fetch_one(pool)
        .await
        .unwrap();
        assert_eq!(i64::from(count), i64::from(note.count) + ledger);
        assert_eq!(messages, note.messages);
        assert_eq!(missing, 0, "every quote of the trip is counted");
        if let Some(Some(chosen)) = note.primary {
            assert_eq!(primary, Some(chosen), "the application's last choice stays");
        }
    }
}
