//! The sessions API and the operator API over HTTP: the real service, with sockets and tokens.

mod auth_matrix;
mod description;
mod lists;
mod million;
mod odd_values;
mod operations;
mod operator;
mod problems;
mod request_ids;

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::v1::auth::BearerTokens;
use avinode_ingest::service::{ApiSettings, ServiceSettings};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::support::cluster::Db;
use crate::support::service::RunningService;
use crate::support::sessions::SessionReferences;

const READ: &str = "a-token-with-the-scope-read";
const WRITE: &str = "a-token-with-the-scope-write";
const ADMIN: &str = "a-token-with-the-scope-admin";

/// A running service and a client of its API.
struct Api {
    db: Db,
    service: RunningService,
    client: Client,
}

/// A response with a JSON body.
#[derive(Debug)]
struct ApiResponse {
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
                tokens: BearerTokens::new([
                    ("ui", ApiScope::Read, READ),
                    ("app", ApiScope::Write, WRITE),
                    ("operations", ApiScope::Admin, ADMIN),
                ]),
                connections: 4,
                streams: 4,
            },
            ..ServiceSettings::default()
        };
        let service = RunningService::with_admin_listener(&db.pool, settings).await;
        let client = avinode_ingest::cli::replay::sender::client(&service.base).unwrap();
        Self { db, service, client }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.service.base))
    }

    async fn get(&self, path: &str) -> ApiResponse {
        send(self.request(Method::GET, path).bearer_auth(READ)).await
    }

    async fn post(&self, path: &str, body: &Value) -> ApiResponse {
        self.send(Method::POST, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> ApiResponse {
        let request = self.request(method, path).bearer_auth(WRITE);
        send(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }

    /// Creates a session.
    async fn session(&self, references: SessionReferences) -> String {
        let created = self.post("/v1/sessions", &references.body()).await;
        assert_eq!(created.status, 201, "{created:?}");
        created.body["id"].as_str().unwrap().to_owned()
    }
}

async fn send(request: RequestBuilder) -> ApiResponse {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{status}: {bytes:?}"));
    ApiResponse { status, headers, body }
}

impl ApiResponse {
    /// Asserts that this is the named problem, and returns the fields that it names.
    #[track_caller]
    fn assert_problem(&self, status: u16, name: &str) -> Vec<String> {
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
