//! The console as a browser without scripts uses it: the real service, its admin listener, cookies and forms.

mod access;
mod board;
mod forms;
mod headers;
mod hostile_texts;
mod live;
mod operations;
mod proxy_users;
mod search;
mod session;

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::v1::auth::BearerTokens;
use avinode_ingest::service::{ApiSettings, ServiceSettings};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method};

use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::service::RunningService;

const READ: &str = "a-token-with-the-scope-read";
const WRITE: &str = "a-token-with-the-scope-write";
const ADMIN: &str = "a-token-with-the-scope-admin";

fn tokens() -> BearerTokens {
    BearerTokens::new([
        ("staff", ApiScope::Read, READ),
        ("broker", ApiScope::Write, WRITE),
        ("operations", ApiScope::Admin, ADMIN),
    ])
}

fn settings() -> ServiceSettings {
    ServiceSettings {
        api: ApiSettings {
            tokens: tokens(),
            connections: 4,
            streams: 8,
        },
        ..ServiceSettings::default()
    }
}

/// A service with a console.
struct ConsoleService {
    db: Db,
    service: RunningService,
}

impl ConsoleService {
    async fn start() -> Self {
        Self::with(Db::new().await, settings()).await
    }

    async fn with(db: Db, settings: ServiceSettings) -> Self {
        let service = RunningService::with_admin_listener(&db.pool, settings).await;
        Self { db, service }
    }

    /// A browser that has not signed in.
    fn browser(&self) -> Browser {
        Browser::new(self.service.admin.clone().unwrap())
    }

    /// A browser that has signed in with a token.
    async fn signed_in(&self, token: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(token).await;
        assert_eq!(page.status, 303, "{}", page.body);
        browser
    }
}

/// A client that keeps the cookie of the console.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    base: String,
    cookie: Option<String>,
    /// Headers of each request.
    headers: Vec<(&'static str, &'static str)>,
}

/// A response.
#[derive(Debug)]
pub struct WebPage {
    pub status: u16,
    headers: HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new(base: String) -> Self {
        let client = avinode_ingest::cli::replay::sender::client(&base).unwrap();
        Self {
            client,
            base,
            cookie: None,
            headers: Vec::new(),
        }
    }

    fn sending(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub async fn get(&self, path: &str) -> WebPage {
        self.send(Method::GET, path, None).await
    }

    /// Sends a form as it is.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> WebPage {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, path, Some(form)).await
    }

    /// Sends a form with the form token of a page.
    async fn submit(&self, page: &WebPage, path: &str, fields: &[(&str, &str)]) -> WebPage {
        let token = page.form_token();
        self.post(path, &[&[("form_token", token.as_str())], fields].concat())
            .await
    }

    pub async fn sign_in(&mut self, token: &str) -> WebPage {
        let page = self
            .post("/console/sign-in", &[("token", token), ("next", "/console")])
            .await;
        if let Some(cookie) = page.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned());
        }
        page
    }

    async fn send(&self, method: Method, path: &str, form: Option<String>) -> WebPage {
        let response = self.request(method, path, form).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        WebPage { status, headers, body }
    }

    async fn request(&self, method: Method, path: &str, form: Option<String>) -> reqwest::Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(HeaderName::from_static(name), *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(form) = form {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form);
        }
        // A stream has no end of its own.
        request.timeout(PATIENCE * 5).send().await.unwrap()
    }
}

impl WebPage {
    /// The form token in the page.
    #[track_caller]
    fn form_token(&self) -> String {
        let (_, rest) = self.body.split_once(r#"name="form_token" value=""#).expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }

    fn location(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }

    #[track_caller]
    pub fn assert_has(&self, text: &str) {
        assert!(self.body.contains(text), "no {text} in: {}", self.body);
    }

    #[track_caller]
    fn assert_lacks(&self, text: &str) {
        assert!(!self.body.contains(text), "{text} in: {}", self.body);
    }
}
