//! What the service relies on in its way to the database: a transaction that nobody waits for any more is not left open.

use std::future::Future;
use std::task::{Context, Waker};

use crate::support::cluster::Db;

/// A connection with a transaction that nobody ends would make the next statements part of it: a delivery that was
/// answered 200 would go when it is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_beginning_is_given_up_is_rolled_back() {
    let db = Db::new().await;
    let service = db.pool.service();
    let mut open = Vec::new();
    for polls in (1..20).cycle().take(120) {
        let begun = service.begin();
        {
            tokio::pin!(begun);
            for _ in 0..polls {
                if begun.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        // Looked at before the next one begins, which would end what is open.
        open.extend(left_open(&db).await);
    }
    assert_eq!(open, [] as [i32; 0], "servers with a transaction that nobody ends");
}

/// Servers that stay in a transaction.
async fn left_open(db: &Db) -> Vec<i32> {
    let open = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    for _ in 0..40 {
        let open: Vec<i32> = sqlx::query_scalar(open).fetch_all(&db.pool).await.unwrap();
        if open.is_empty() {
            return open;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    sqlx::query_scalar(open).fetch_all(&db.pool).await.unwrap()
}
