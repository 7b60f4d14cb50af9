//! The sessions API as its callers meet it: the real service, real sockets, real tokens.

mod auth_matrix;
mod description;
mod lists;
mod million;
mod operations;
mod refusals;

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::v1::auth::Tokens;
use avinode_ingest::service::{ApiSettings, ServiceSettings};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::support::cluster::Db;
use crate::support::service::Running;
use crate::support::setup::Stage;

const READ: &str = "a-token-that-may-look";
const WRITE: &str = "a-token-that-may-change";

/// A running service and a client of its API.
struct Api {
    db: Db,
    service: Running,
    client: Client,
}

/// An answer.
#[derive(Debug)]
struct Said {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Api {
    async fn start() -> Self {
        Self::on(Db::new().await).await
    }

    async fn on(db: Db) -> Self {
        Self::with_workers(db, ServiceSettings::default().workers).await
    }

    async fn with_workers(db: Db, workers: usize) -> Self {
        let settings = ServiceSettings {
            workers,
            api: ApiSettings {
                tokens: Tokens::new([("ui", ApiScope::Read, READ), ("app", ApiScope::Write, WRITE)]),
                connections: 4,
            },
            ..ServiceSettings::default()
        };
        let service = Running::start(&db.pool, settings).await;
        let client = avinode_ingest::cli::replay::sender::client(&service.base).unwrap();
        Self { db, service, client }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.service.base))
    }

    async fn get(&self, path: &str) -> Said {
        said(self.request(Method::GET, path).bearer_auth(READ)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Said {
        self.send(Method::POST, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Said {
        let request = self.request(method, path).bearer_auth(WRITE);
        said(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }

    /// A session on a stage.
    async fn session(&self, stage: Stage) -> String {
        let made = self.post("/v1/sessions", &least(stage)).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }
}

/// The least that makes a session.
fn least(stage: Stage) -> Value {
    serde_json::json!({"conversation_id": stage.conversation, "iso_agent_id": stage.agent, "request_id": stage.request})
}

async fn said(request: RequestBuilder) -> Said {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{status}: {bytes:?}"));
    Said { status, headers, body }
}

impl Said {
    /// Checks that it is the problem of that name, and returns the fields it names.
    #[track_caller]
    fn problem(&self, status: u16, name: &str) -> Vec<String> {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(
            self.body["type"],
            format!("urn:avinode-ingest:problem:{name}"),
            "{self:?}"
        );
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let fields = errors.iter().map(|error| {
            assert!(error["detail"].is_string());
            error["field"].as_str().unwrap().to_owned()
        });
        fields.collect()
    }
}
