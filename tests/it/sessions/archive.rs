//! Old sessions are archived once a day, by one of the processes.

use avinode_ingest::jobs::maintenance;
use uuid::Uuid;

use super::{create, sessions};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::sessions::SessionReferences;

/// A session that was completed so many days ago.
async fn completed(pool: &Pool, days: i32) -> Uuid {
    let session = create(pool, SessionReferences::insert(pool).await).await.id;
    sessions(pool, 1).complete(session).await.unwrap();
    sqlx::query("UPDATE public.chat_sessions SET session_ended_at = now() - make_interval(days => $2) WHERE id = $1")
        .bind(session)
        .bind(days)
        .execute(pool)
        .await
        .unwrap();
    session
}

async fn turn(pool: &Pool, process: &str) {
    maintenance::full_round(&pool.service(), process).await.unwrap();
}

async fn status(pool: &Pool, session: Uuid) -> String {
    sessions(pool, 1).get(session).await.unwrap().status
}

/// As if a day had passed, or the leader had died.
async fn run_out(pool: &Pool, duty: &str) {
    sqlx::query("UPDATE avinode_ingest.leader_leases SET held_until = now() - interval '1 second', done_at = done_at - interval '1 day' WHERE name = $1")
        .bind(duty)
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn old_sessions_are_archived_once_a_day() {
    for db in [Db::new().await, Db::attached().await] {
        let pool = &db.pool;
        let (old, young) = (completed(pool, 91).await, completed(pool, 89).await);
        turn(pool, "one").await;
        assert_eq!(
            (status(pool, old).await, status(pool, young).await),
            ("archived".into(), "completed".into())
        );
        let next = completed(pool, 91).await;
        turn(pool, "one").await;
        run_out(pool, "maintenance").await;
        turn(pool, "two").await;
        assert_eq!(status(pool, next).await, "completed", "not twice a day, by any process");
        run_out(pool, "archive").await;
        turn(pool, "two").await;
        assert_eq!(status(pool, next).await, "archived");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_archiving_is_retried_in_the_next_round() {
    let db = Db::new().await;
    let old = completed(&db.pool, 91).await;
    db.run("ALTER FUNCTION public.archive_old_chat_sessions() RENAME TO elsewhere")
        .await;
    turn(&db.pool, "one").await;
    assert_eq!(status(&db.pool, old).await, "completed");
    db.run("ALTER FUNCTION public.elsewhere() RENAME TO archive_old_chat_sessions")
        .await;
    turn(&db.pool, "one").await;
    assert_eq!(status(&db.pool, old).await, "archived");
}
