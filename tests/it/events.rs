//! Streams of timelines over HTTP: the real service, read by a client that resumes.

mod limits;
mod order;
mod resuming;

use std::time::Duration;

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::v1::auth::BearerTokens;
use avinode_ingest::postgres::transaction;
use avinode_ingest::service::{ApiSettings, ServiceSettings};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::RunningService;

const TOKEN: &str = "a-token-that-only-reads-streams";
/// Streams that these services allow.
const STREAMS: usize = 5;

/// A service with this interval of polls.
fn settings(poll: Duration) -> ServiceSettings {
    ServiceSettings {
        poll,
        api: ApiSettings {
            tokens: BearerTokens::new([("ui", ApiScope::Read, TOKEN)]),
            connections: 4,
            streams: STREAMS,
        },
        ..ServiceSettings::default()
    }
}

/// A running service and a client of its streams.
struct Streams {
    service: RunningService,
    client: Client,
}

impl Streams {
    async fn start(pool: transaction::Pool, settings: ServiceSettings) -> Self {
        let service = RunningService::start_on(pool, settings).await;
        let client = avinode_ingest::cli::replay::sender::client(&service.base).unwrap();
        Self { service, client }
    }

    /// Connects, and returns the response whatever its status is.
    async fn connect(&self, query: &str, last_event_id: Option<&str>) -> Response {
        let url = format!("{}/v1/sessions/events?{query}", self.service.base);
        let mut request = self.client.get(url).bearer_auth(TOKEN).timeout(PATIENCE * 5);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        request.send().await.unwrap()
    }

    /// Opens a stream, and reads its first event.
    async fn open(&self, query: &str, last_event_id: Option<&str>) -> OpenStream {
        let response = self.connect(query, last_event_id).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = OpenStream {
            response,
            text: String::new(),
            id: String::new(),
        };
        let first = stream.next().await.unwrap();
        assert_eq!((first.name.as_str(), first.data), ("open", json!({})));
        stream
    }

    /// The status and the last part of the type of a problem.
    async fn problem(&self, query: &str, last_event_id: Option<&str>) -> (u16, String) {
        let response = self.connect(query, last_event_id).await;
        let status = response.status().as_u16();
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        let name = body["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        (status, name)
    }
}

/// A stream that a client reads.
struct OpenStream {
    response: Response,
    text: String,
    /// The last id that came, with an event or without one.
    id: String,
}

/// An event with data.
#[derive(Debug, Clone, PartialEq)]
struct ServerEvent {
    id: i64,
    name: String,
    data: Value,
}

impl OpenStream {
    /// Returns the next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<ServerEvent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = self.parse(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = timeout(PATIENCE, self.response.chunk())
                .await
                .expect("no event in time");
            self.text += std::str::from_utf8(&chunk.unwrap()?).unwrap();
        }
    }

    /// Returns the next event if it comes within this time.
    async fn next_within(&mut self, time: Duration) -> Option<ServerEvent> {
        timeout(time, self.next()).await.ok().flatten()
    }

    /// The number of the session's entry in each of the next events, with their ids.
    async fn take(&mut self, events: usize) -> Vec<ServerEvent> {
        let mut taken = Vec::new();
        for _ in 0..events {
            let event = self.next().await.unwrap();
            assert_eq!(event.name, "timeline");
            taken.push(event);
        }
        taken
    }

    fn parse(&mut self, block: &str) -> Option<ServerEvent> {
        let field = |name: &str| {
            let line = block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|value| value.strip_prefix(' ').unwrap_or(value).to_owned())
        };
        if let Some(id) = field("id") {
            self.id = id;
        }
        Some(ServerEvent {
            id: self.id.parse().unwrap(),
            name: field("event").unwrap_or_default(),
            data: serde_json::from_str(&field("data")?).unwrap(),
        })
    }
}

/// Posts a quote of a trip, signed.
async fn post_quote(streams: &Streams, trip: &str, quote: &str, seconds: i64) {
    let body = serde_json::to_vec(&quote_of(trip, quote, seconds)).unwrap();
    assert_eq!(streams.service.post(&body).await.0, 200);
}

/// Appends an entry to the timeline of a session in a transaction of the test's own, and returns its position.
async fn append(executor: impl sqlx::PgExecutor<'_>, session: Uuid, seq: i64) -> i64 {
    sqlx::query_scalar(
        "INSERT INTO avinode_ingest.timeline (session_id, seq, kind, dedup_key, detail)
         VALUES ($1, $2, 'trip_updated', 'test ' || $2, '{}') RETURNING position",
    )
    .bind(session)
    .bind(seq)
    .fetch_one(executor)
    .await
    .unwrap()
}

/// Appends an entry, and wakes the readers as a worker does.
async fn append_and_notify(pool: &Pool, session: Uuid, seq: i64) -> i64 {
    let position = append(pool, session, seq).await;
    sqlx::query("SELECT pg_notify('avinode_ingest_timeline', '')")
        .execute(pool)
        .await
        .unwrap();
    position
}

/// A database, and a session of a trip in it.
async fn with_session(trip: &str) -> (Db, Uuid) {
    let db = Db::new().await;
    let session = crate::support::sessions::SessionBuilder::of_trip(trip)
        .insert(&db.pool)
        .await;
    (db, session)
}
