//! Calls of the API of a service. A service that refuses a call, and one that cannot be reached, are different errors.

use reqwest::{Client, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::cli::error::{CliError, Context};
use crate::cli::replay::sender;
use crate::config::operator_api::OperatorApi;
use crate::domain::chat_session::page::MAX_LIMIT;
use crate::http::problem::{NOT_FOUND, TYPE_PREFIX};
use crate::http::v1::response::ListResponse;

pub struct ApiClient {
    client: Client,
    /// Without a path.
    url: Url,
    token: SecretString,
}

/// The resource of a call does not exist, or its state does not allow the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRefusal {
    /// The problem type without its prefix, such as `job-not-found`.
    pub problem: String,
    pub detail: String,
}

/// A call of the API.
pub struct ApiCall<'c> {
    pub method: Method,
    /// Below `/v1`.
    pub path: &'c [&'c str],
    /// Null for a parameter that is not given.
    pub query: Map<String, Value>,
    pub body: Option<Value>,
}

impl<'c> ApiCall<'c> {
    pub fn get(path: &'c [&'c str]) -> Self {
        Self {
            method: Method::GET,
            path,
            query: Map::new(),
            body: None,
        }
    }

    pub fn post(path: &'c [&'c str], body: Value) -> Self {
        Self {
            method: Method::POST,
            path,
            query: Map::new(),
            body: Some(body),
        }
    }
}

impl ApiClient {
    pub fn new(OperatorApi { url, token }: OperatorApi) -> Result<Self, CliError> {
        let client = sender::client(url.as_str()).context("prepare the HTTP client")?;
        Ok(Self { client, url, token })
    }

    /// Reads a list page by page, up to `limit` items.
    pub async fn list<T: DeserializeOwned>(
        &self,
        attempt: &str,
        path: &[&str],
        params: &impl Serialize,
        limit: i64,
    ) -> Result<ListResponse<T>, CliError> {
        let Value::Object(mut query) = serde_json::to_value(params).context(attempt)? else {
            return Err(CliError::plain(format!(
                "could not {attempt}: the filters could not be written"
            )));
        };
        let mut list = ListResponse {
            data: Vec::new(),
            next_cursor: None,
        };
        loop {
            let left = usize::try_from(limit).unwrap_or(usize::MAX) - list.data.len();
            let size = left.min(usize::from(MAX_LIMIT));
            query.insert("limit".to_owned(), size.into());
            let call = ApiCall {
                query: query.clone(),
                ..ApiCall::get(path)
            };
            let page: ListResponse<T> = self.read(attempt, call).await?;
            let is_full = page.data.len() == size;
            list.data.extend(page.data);
            list.next_cursor = page.next_cursor;
            match &list.next_cursor {
                // A page of a text that is not full ends where it looked last, as a page of the database does.
                Some(next) if is_full && size < left => query.insert("cursor".to_owned(), next.clone().into()),
                _ => return Ok(list),
            };
        }
    }

    /// Reads one resource; `None` if it does not exist.
    pub async fn find<T: DeserializeOwned>(&self, attempt: &str, path: &[&str]) -> Result<Option<T>, CliError> {
        Ok(self.call(attempt, ApiCall::get(path)).await?.ok())
    }

    /// Makes a call that is about no single resource.
    pub async fn read<T: DeserializeOwned>(&self, attempt: &str, call: ApiCall<'_>) -> Result<T, CliError> {
        let answer = self.call(attempt, call).await?;
        answer.map_err(|refusal| CliError::plain(format!("could not {attempt}: {}", refusal.detail)))
    }

    /// Makes a call. `attempt` completes "could not …".
    pub async fn call<T: DeserializeOwned>(
        &self,
        attempt: &str,
        call: ApiCall<'_>,
    ) -> Result<Result<T, ApiRefusal>, CliError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().push("v1").extend(call.path);
        }
        for (name, value) in call.query.iter().filter(|(_, value)| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            url.query_pairs_mut().append_pair(name, &text);
        }
        let mut request = self
            .client
            .request(call.method, url)
            .bearer_auth(self.token.expose_secret());
        if let Some(body) = &call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let unreachable = |error: reqwest::Error| {
            let attempt = format!("{attempt} through the service at {}", self.host());
            CliError::to(attempt, error.without_url()).unavailable()
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreachable)?;
        if status.is_success() {
            let read = serde_json::from_slice(&bytes);
            return read
                .map(Ok)
                .context(format_args!("read the response of the service at {}", self.host()));
        }
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        self.refused(attempt, status, &problem).map(Err)
    }

    /// Returns the problem if it is about the resource, and an error if it is about the call.
    fn refused(&self, attempt: &str, status: StatusCode, problem: &Value) -> Result<ApiRefusal, CliError> {
        let name = problem["type"].as_str().unwrap_or_default();
        let name = name.strip_prefix(TYPE_PREFIX).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or_default();
        let host = self.host();
        match (status, name) {
            (StatusCode::UNAUTHORIZED, _) => Err(CliError::setting(format!(
                "INGEST_API_TOKEN (--api-token): the service at {host} does not accept the token"
            ))),
            (StatusCode::FORBIDDEN, _) => Err(CliError::setting(format!(
                "INGEST_API_TOKEN (--api-token): could not {attempt}: {detail}"
            ))),
            (StatusCode::NOT_FOUND, "" | NOT_FOUND) | (StatusCode::METHOD_NOT_ALLOWED, _) => {
                let missing = CliError::plain(format!("the service at {host} has no operator API for this"));
                Err(missing.hint(
                    "its INGEST_ROLE is work, it is older than this program, or the URL is not that of a service",
                ))
            }
            (StatusCode::NOT_FOUND | StatusCode::CONFLICT, problem) => Ok(ApiRefusal {
                problem: problem.to_owned(),
                detail: detail.to_owned(),
            }),
            (StatusCode::SERVICE_UNAVAILABLE, _) => {
                Err(CliError::plain(format!("could not {attempt}: {host} answered 503: {detail}")).unavailable())
            }
            _ => {
                let request = problem["request_id"].as_str().unwrap_or("unknown");
                let status = status.as_u16();
                let error = CliError::plain(format!("could not {attempt}: {host} answered {status}: {detail}"));
                Err(error.hint(format!("request id {request}")))
            }
        }
    }

    /// `http://host:port`, without a path.
    fn host(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}
