use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::*;

/// The log, in memory.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn subscribe(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }
}

#[tokio::test]
async fn seventy_deliveries_are_one_or_two_lines() {
    let log = Captured::default();
    let _guard = log.subscribe();
    let activity = ActivityLog::new();
    let count = async {
        for number in 0..70 {
            activity.delivery_received();
            activity.jobs_applied(1, u64::from(number == 0));
            tokio::task::yield_now().await;
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while activity.deliveries.load(Ordering::Relaxed) > 0 {
            assert!(Instant::now() < deadline, "no summary: {}", log.text());
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = activity.run() => {}
        () = count => {}
    }
    let text = log.text();
    assert!((1..=2).contains(&text.lines().count()), "{text}");
    let received: u64 = text
        .lines()
        .map(|line| line.split("deliveries=").nth(1).unwrap().split(' ').next().unwrap())
        .map(|count| count.parse::<u64>().unwrap())
        .sum();
    assert_eq!(received, 70, "{text}");
}

#[test]
fn a_summary_names_what_was_counted_and_an_idle_second_is_no_line() {
    let log = Captured::default();
    let _guard = log.subscribe();
    let activity = ActivityLog::new();
    activity.write();
    assert_eq!(log.text(), "");
    for _ in 0..70 {
        activity.delivery_received();
    }
    activity.jobs_applied(64, 1);
    activity.write();
    activity.write();
    let text = log.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("70 deliveries received, 64 jobs applied, 1 session changed deliveries=70 api_writes=0 jobs=64"),
        "{text}"
    );
    activity.delivery_received();
    activity.api_write();
    assert_eq!(activity.take().to_string(), "1 delivery received, 1 API write");
}
