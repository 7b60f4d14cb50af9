use std::sync::atomic::AtomicUsize;

use tokio::time::{Instant, timeout};

use super::*;

const LIMIT: Duration = Duration::from_millis(30);
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn watchdog_messages_stop_while_a_loop_hangs_and_go_on_with_it_and_at_shutdown() {
    let (heartbeats, shutdown) = (HeartbeatRegistry::new(), CancellationToken::new());
    let _patient = heartbeats.register("maintenance", Duration::from_secs(3600));
    let worker = heartbeats.register("worker", Duration::from_millis(200));
    let sent = AtomicUsize::new(0);
    let count = || sent.load(Ordering::Relaxed);
    let sending = keep_alive(LIMIT, &heartbeats, &shutdown, || {
        sent.fetch_add(1, Ordering::Relaxed);
    });
    tokio::pin!(sending);
    let began = Instant::now();
    while count() < 5 {
        worker.beat();
        assert!(began.elapsed() < PATIENCE && timeout(LIMIT, &mut sending).await.is_err());
    }
    while heartbeats.stale().is_empty() {
        assert!(began.elapsed() < PATIENCE && timeout(LIMIT, &mut sending).await.is_err());
    }
    let before = count();
    assert!(timeout(LIMIT * 10, &mut sending).await.is_err());
    assert_eq!(count(), before, "the worker hangs");

    while count() == before {
        worker.beat();
        assert!(began.elapsed() < PATIENCE && timeout(LIMIT, &mut sending).await.is_err());
    }
    while heartbeats.stale().is_empty() {
        assert!(began.elapsed() < PATIENCE && timeout(LIMIT, &mut sending).await.is_err());
    }
    let before = count();
    shutdown.cancel();
    while count() == before {
        assert!(began.elapsed() < PATIENCE && timeout(LIMIT, &mut sending).await.is_err());
    }
}
