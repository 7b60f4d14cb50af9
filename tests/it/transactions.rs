//! What the service relies on in its way to the database: a transaction that nobody waits for any more is not left open.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use crate::support::cluster::Db;

/// A connection with a transaction that nobody ends would make the next statements part of it: a delivery that was
/// answered 200 would go when it is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_beginning_is_given_up_is_rolled_back() {
    let db = Db::new().await;
    let service = db.pool.service();
    for polls in (1..60).cycle().take(240) {
        let begun = service.begin();
        tokio::pin!(begun);
        for _ in 0..polls {
            if let Poll::Ready(begun) = begun.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                drop(begun.unwrap());
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Those that are still under way end by themselves; then none is left.
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    let mut left: i64 = -1;
    for _ in 0..200 {
        left = sqlx::query_scalar(open).fetch_one(&db.pool).await.unwrap();
        if left == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(left, 0, "transactions are left open");
}
