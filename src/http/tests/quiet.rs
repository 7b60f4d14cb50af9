//! What the log holds of refused deliveries: length, digest and reason; never content or credentials.

use std::io::{self, Write};
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use sha2::{Digest, Sha256};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// Everything that is logged, in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What is logged at `level` and above while `requests` are answered by a door that offers Basic.
async fn logged(level: Level, requests: Vec<Request<Body>>) -> String {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let door = router(state(&Keeper::open(), Some(BASIC), small()), None);
    for request in requests {
        ask(&door, request).await;
    }
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_refused_delivery_is_logged_by_length_and_digest_alone() {
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
    assert_eq!(lines.matches("refused a delivery").count(), 3);
    assert_eq!(lines.matches("length=21").count(), 2);
    assert_eq!(lines.matches("peer=192.0.2.1:9 ").count(), 1);
    let digest = hex::encode(Sha256::digest(r#"{"private":"content"}"#));
    assert_eq!(lines.matches(&digest).count(), 2);
    for secret in ["private", "content", "00ff", "Z3Vlc3M6ZWQ", "guess"] {
        assert!(!lines.contains(secret), "{secret} is in the log: {lines}");
    }
}

#[tokio::test]
async fn a_bare_request_where_basic_is_offered_is_no_attack() {
    let bare = || Request::post(PATH).body(Body::from("{}")).unwrap();
    assert_eq!(logged(Level::INFO, vec![bare()]).await, "");
    assert_eq!(
        logged(Level::DEBUG, vec![bare()])
            .await
            .matches("asked a delivery for credentials")
            .count(),
        1
    );
}
