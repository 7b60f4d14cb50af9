//! Concurrent senders that sign and repeat deliveries as Avinode does, and record the answers for a comparison with the
//! database.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use avinode_ingest::clock::Clock;
use avinode_ingest::store::admin;
use reqwest::Client;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::bodies::quote;
use crate::support::eventually::{at_least, eventually};
use crate::support::pool::Pool;
use crate::support::service::signer;
use crate::support::sessions::SessionBuilder;

/// Sessions that the load is for, a trip each.
const SESSIONS: usize = 4;

/// The state that the senders and the test share.
struct Shared {
    address: Mutex<String>,
    next: AtomicUsize,
    total: usize,
    /// The delivery that each 200 named.
    kept: Mutex<Vec<Uuid>>,
    /// Answers by status; 0 if there was none.
    answers: Mutex<BTreeMap<u16, usize>>,
}

/// A load under way.
pub struct Load {
    shared: Arc<Shared>,
    senders: JoinSet<()>,
    sessions: Vec<Uuid>,
}

/// The sessions of the load.
pub async fn sessions(pool: &Pool) -> Vec<Uuid> {
    let mut made = Vec::new();
    for number in 0..SESSIONS {
        made.push(SessionBuilder::of_trip(&trip(number)).insert(pool).await);
    }
    made
}

fn trip(number: usize) -> String {
    format!("atrip-{}", 70_000 + number % SESSIONS)
}

/// The event of this number: each brings a quote of its own.
pub fn event(number: usize) -> Value {
    let (event, quote_id) = (format!("evt-{number}"), format!("aquote-{number}"));
    let rfq = format!("arfq-{number}");
    let seconds = i64::try_from(number).unwrap();
    quote(&event, &trip(number), &rfq, &quote_id, seconds, "18500", "USD")
}

/// The same as bytes.
pub fn body(number: usize) -> Vec<u8> {
    serde_json::to_vec(&event(number)).unwrap()
}

/// Sends a body once, signed: the status, the answer and its `Retry-After`; `None` without an answer.
pub async fn post(client: &Client, address: &str, body: Vec<u8>) -> Option<(u16, Value, Option<String>)> {
    let mut request = client.post(format!("http://{address}/webhooks/avinode"));
    for (name, value) in signer().sign("msg_test", &body, Clock::System.now()) {
        request = request.header(name, value);
    }
    let response = request.body(body).send().await.ok()?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let answer = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
    Some((status, answer, retry_after))
}

/// A client for [`post`].
pub fn client(address: &str) -> Client {
    avinode_ingest::cli::replay::sender::client(&format!("http://{address}")).unwrap()
}

impl Load {
    /// Begins to send `total` events from `connections` senders for [`sessions`].
    pub fn start(address: &str, total: usize, connections: usize, sessions: Vec<Uuid>) -> Self {
        let shared = Arc::new(Shared {
            address: Mutex::new(address.to_owned()),
            next: AtomicUsize::new(0),
            total,
            kept: Mutex::default(),
            answers: Mutex::default(),
        });
        let mut senders = JoinSet::new();
        for _ in 0..connections {
            senders.spawn(send(shared.clone()));
        }
        Self {
            shared,
            senders,
            sessions,
        }
    }

    /// From now on the service is there.
    pub fn redirect(&self, address: &str) {
        address.clone_into(&mut self.shared.address.lock().unwrap());
    }

    /// The number of acknowledged deliveries so far.
    pub fn acknowledged(&self) -> usize {
        self.shared.kept.lock().unwrap().len()
    }

    /// Answers of this status so far.
    pub fn answers(&self, status: u16) -> usize {
        *self.shared.answers.lock().unwrap().get(&status).unwrap_or(&0)
    }

    /// Waits until so many deliveries have been acknowledged.
    pub async fn reach(&self, acknowledged: usize) {
        eventually(
            PATIENCE,
            &format!("{acknowledged} deliveries acknowledged"),
            async || at_least(self.acknowledged(), acknowledged),
        )
        .await;
    }

    /// Waits until every event has been acknowledged, and holds what was acknowledged against the database.
    pub async fn check(mut self, pool: &Pool) {
        while let Some(sent) = timeout(PATIENCE * 2, self.senders.join_next()).await.unwrap() {
            sent.unwrap();
        }
        let kept = std::mem::take(&mut *self.shared.kept.lock().unwrap());
        assert_eq!(kept.len(), self.shared.total);
        let found: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.deliveries WHERE id = ANY ($1)")
            .bind(&kept)
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(usize::try_from(found).unwrap(), kept.len(), "acknowledged and not kept");
        wait_until_settled(pool, PATIENCE).await.unwrap();
        check_counts(pool, &self.sessions, self.shared.total).await;
    }
}

/// Every event up to `total` is counted once in its session, and no job died.
pub async fn check_counts(pool: &Pool, sessions: &[Uuid], total: usize) {
    let views = admin::sessions(pool, sessions).await.unwrap();
    let counts: Vec<i32> = views.iter().map(|view| view.quotes_received_count).collect();
    let expected: Vec<i32> = (0..SESSIONS)
        .map(|session| i32::try_from((session..total).step_by(SESSIONS).count()).unwrap())
        .collect();
    assert_eq!(counts, expected, "quotes counted by session");
    for (table, rows) in [("ledger", total), ("event_keys", total), ("dead_jobs", 0)] {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM avinode_ingest.{table}"));
        let found: i64 = sqlx::query_scalar(count).fetch_one(pool).await.unwrap();
        assert_eq!(usize::try_from(found).unwrap(), rows, "{table}");
    }
}

async fn send(shared: Arc<Shared>) {
    let client = client("127.0.0.1:0");
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.total {
            return;
        }
        let body = body(number);
        loop {
            let address = shared.address.lock().unwrap().clone();
            let answer = post(&client, &address, body.clone()).await;
            let status = answer.as_ref().map_or(0, |(status, ..)| *status);
            *shared.answers.lock().unwrap().entry(status).or_default() += 1;
            match answer {
                Some((200, answer, _)) => {
                    let id = answer["delivery"].as_str().unwrap().parse().unwrap();
                    shared.kept.lock().unwrap().push(id);
                    break;
                }
                Some((503, _, retry_after)) => {
                    let seconds: u32 = retry_after.expect("503 says when to come again").parse().unwrap();
                    assert!((1..=60).contains(&seconds), "{seconds}");
                }
                None => {}
                Some(other) => panic!("{other:?}"),
            }
            // The pause of a sender between two attempts, shorter than the service asks for, to save time.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
