//! The log lines of rejected deliveries: length, digest and reason; never content or credentials.

use std::io::{self, Write};
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use sha2::{Digest, Sha256};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// The log, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Returns the log at `level` of a server with Basic credentials that handles `requests`.
async fn logged(level: Level, requests: Vec<Request<Body>>) -> String {
    let lines = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let app = router(state(&MemorySink::open(), Some(BASIC), small_limits()), None);
    for request in requests {
        send(&app, request).await;
    }
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_rejected_delivery_is_logged_by_reason_length_and_digest_only() {
    let mut forged = signed(r#"{"private":"content"}"#);
    forged
        .headers_mut()
        .insert("x-avinode-signature", "00ff".repeat(16).parse().unwrap());
    forged
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 9))));
    let mut guessed = Request::post(PATH)
        .body(Body::from(r#"{"private":"content"}"#))
        .unwrap();
    guessed
        .headers_mut()
        .insert("authorization", "Basic Z3Vlc3M6ZWQ=".parse().unwrap());
    let lines = logged(Level::TRACE, vec![forged, guessed, signed("private")]).await;
    assert_eq!(lines.matches("rejected a delivery: ").count(), 3);
    assert_eq!(lines.matches("length=21").count(), 1); // of guessed credentials the body is not read
    assert_eq!(lines.matches("peer=192.0.2.1:9 ").count(), 1);
    let digest = hex::encode(Sha256::digest(r#"{"private":"content"}"#));
    assert_eq!(lines.matches(&digest).count(), 1);
    for secret in ["private", "content", "00ff", "Z3Vlc3M6ZWQ", "guess"] {
        assert!(!lines.contains(secret), "{secret} is in the log: {lines}");
    }
}

#[tokio::test]
async fn a_request_without_credentials_is_not_logged_if_basic_is_configured() {
    let request = || Request::post(PATH).body(Body::from("{}")).unwrap();
    assert_eq!(logged(Level::INFO, vec![request()]).await, "");
    assert_eq!(
        logged(Level::DEBUG, vec![request()])
            .await
            .matches("asked for Basic credentials")
            .count(),
        1
    );
}
