//! The load: full events and thin notifications by the load balancer, and an application that reads a session by the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::deployment::TOKEN;
use crate::chaos::senders::Sending;
use crate::chaos::waits::Waits;
use crate::crash::load::client;
use crate::fetching::setup::quoted;
use crate::support::PATIENCE;
use crate::support::fake_avinode::FakeAvinode;

/// The trip of the thin notifications.
pub const FETCHED_TRIP: &str = "atrip-990001";
/// The time between two thin notifications, and between two reads.
const PACE: Duration = Duration::from_millis(250);

pub struct Load {
    /// The senders of full events and of thin notifications.
    pub sending: Arc<Sending>,
    /// The reads of the application.
    pub reads: Arc<Waits>,
    notified: Arc<AtomicUsize>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Load {
    /// Begins to send to an address, and to read a session there.
    pub fn start(address: &str, avinode: &FakeAvinode, session: Uuid) -> Self {
        let (sending, stop) = (Sending::new(1, address), CancellationToken::new());
        let (reads, notified) = (Arc::new(Waits::default()), Arc::new(AtomicUsize::new(0)));
        let mut tasks = sending.start(&stop);
        tasks.spawn(notify(sending.clone(), avinode.clone(), notified.clone(), stop.clone()));
        let url = format!("http://{address}/v1/sessions/{session}");
        tasks.spawn(read(url, reads.clone(), stop.clone()));
        Self {
            sending,
            reads,
            notified,
            stop,
            tasks,
        }
    }

    /// Ends it; what was begun is sent to its end. Returns the number of thin notifications, each of a quote of its own.
    pub async fn end(&mut self) -> usize {
        self.stop.cancel();
        while let Some(ended) = timeout(PATIENCE, self.tasks.join_next()).await.unwrap() {
            ended.unwrap();
        }
        self.notified.load(Ordering::Relaxed)
    }
}

async fn notify(sending: Arc<Sending>, avinode: FakeAvinode, notified: Arc<AtomicUsize>, stop: CancellationToken) {
    let mut pace = interval(PACE);
    for number in 1_u32.. {
        pace.tick().await;
        if stop.is_cancelled() {
            return;
        }
        let message = format!("asellermsg-7{number}");
        let quote = quoted(&message, &format!("aquote-7{number}"), None, 50_000 + number);
        let resource = format!("tripmsgs/{message}");
        avinode.show(&resource, quote);
        let thin = avinode.thin(&resource, Some(FETCHED_TRIP));
        sending.send(&serde_json::to_vec(&thin).unwrap()).await;
        notified.fetch_add(1, Ordering::Relaxed);
    }
}

async fn read(url: String, reads: Arc<Waits>, stop: CancellationToken) {
    let client = client("127.0.0.1:0");
    let mut pace = interval(PACE);
    while !stop.is_cancelled() {
        let number = reads.begin();
        loop {
            pace.tick().await;
            let answer = client.get(&url).bearer_auth(TOKEN).send().await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => break,
                other => reads.refuse(number, format!("{other:?}")),
            }
        }
        reads.end(number);
    }
}
