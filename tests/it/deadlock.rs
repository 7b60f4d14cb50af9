//! Where a worker and the application wait for each other, the worker gives way (invariant 9).

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::election::Policy;
use avinode_ingest::queue::worker::Shift;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::crew::Crew;
use crate::support::everything::dead_jobs;
use crate::support::pool::Pool;
use crate::support::service::{keep, session, shift};

fn workers(pool: &Pool) -> Arc<Shift> {
    shift(pool, Policy::Latest, Clock::Fixed(base()))
}

async fn touch(tx: &mut Transaction<'_, Postgres>, session: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE public.chat_sessions SET message_count = message_count + 1 WHERE id = $1")
        .bind(session)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn lock(pool: &Pool, session: Uuid) -> Transaction<'static, Postgres> {
    let mut tx = pool.application().await;
    touch(&mut tx, session).await.unwrap();
    tx
}

/// Postgres looks for a victim once the application has waited for a second: a worker that holds what the application
/// waits for must not wait itself by then, however many short waits it has had.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_waits_again_and_again_is_out_of_the_way_before_postgres_looks_for_a_victim() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(session(&db.pool, Some("atrip-1")).await);
    }
    sessions.sort();
    Crew::start(&workers(&db.pool), 1).finish().await;
    let mut last = lock(&db.pool, sessions[5]).await;
    let mut others = Vec::new();
    for session in &sessions[1..5] {
        others.push(lock(&db.pool, *session).await);
    }
    keep(
        &db.pool,
        &[quote("e1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD")],
        base(),
    )
    .await;
    let crew = Crew::start(&workers(&db.pool), 1);
    // The worker is at work: should it hold the first session and wait for the second, then the application waits for
    // the worker.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let first = sessions[0];
    let application = tokio::spawn(async move {
        touch(&mut last, first).await?;
        last.commit().await
    });
    for (place, other) in others.into_iter().enumerate() {
        let wait = if place == 0 { 150 } else { 250 };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        other.commit().await.unwrap();
    }
    application.await.unwrap().unwrap();
    crew.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
}
