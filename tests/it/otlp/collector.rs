//! An OpenTelemetry collector: receives spans by OTLP over HTTP as protobuf (opentelemetry/proto/trace/v1/trace.proto).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::protobuf::all;

/// A received span. Ids are hexadecimal; of the attributes only the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub name: String,
    pub trace: String,
    /// Empty for a root.
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
}

pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Vec<Bytes>>>,
    server: JoinHandle<()>,
}

impl Collector {
    pub async fn start() -> Self {
        let received: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let requests = received.clone();
        let receive = async move |body: Bytes| requests.lock().unwrap().push(body);
        let routes = Router::new().route("/v1/traces", post(receive));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, received, server }
    }

    /// Nothing listens at its address any more.
    pub async fn stop(self) -> Self {
        self.server.abort();
        assert!(self.server.await.unwrap_err().is_cancelled());
        Self {
            server: tokio::spawn(async {}),
            ..self
        }
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.received.lock().unwrap();
        let resources = requests.iter().flat_map(|request| all(request, 1));
        let scopes = resources.flat_map(|resource| all(resource, 2));
        scopes.flat_map(|scope| all(scope, 2)).map(span).collect()
    }
}

fn span(message: &[u8]) -> Span {
    let bytes = |number| all(message, number).next().unwrap_or_default();
    let attribute = |message| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let name = all(message, 1).next()?;
        let value = all(all(message, 2).next()?, 1).next()?;
        Some((text(name), text(value)))
    };
    Span {
        name: String::from_utf8(bytes(5).to_vec()).unwrap(),
        trace: hex::encode(bytes(1)),
        parent: hex::encode(bytes(4)),
        attributes: all(message, 9).filter_map(attribute).collect(),
    }
}
