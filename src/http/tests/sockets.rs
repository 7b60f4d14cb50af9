//! A server on a real socket, for the tests that need one.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::limits::ServerLimits;
use crate::http::server::{ShutdownReport, run};

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) shutdown: CancellationToken,
    pub(super) ended: JoinHandle<ShutdownReport>,
}

pub(super) fn short_limits() -> ServerLimits {
    ServerLimits {
        header_time: Duration::from_secs(1),
        idle_time: Duration::from_secs(1),
        write_time: Duration::from_millis(300),
        drain: Duration::from_millis(500),
        ..ServerLimits::default()
    }
}

pub(super) async fn start(router: Router, limits: ServerLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(run(listener, router, shutdown.clone(), limits));
    Server {
        address,
        shutdown,
        ended,
    }
}

impl Server {
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(super) async fn stop(self) -> ShutdownReport {
        self.shutdown.cancel();
        self.ended.await.unwrap()
    }
}

pub(super) fn post(body: &str) -> String {
    let (length, signature) = (body.len(), signature(body.as_bytes()));
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: a\r\nx-avinode-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Reads one response with a `content-length`.
pub(super) async fn read_response(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if length.is_some_and(|length| body.len() == length.parse::<usize>().unwrap()) {
                    return text.into_owned();
                }
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "closed after {bytes:?}");
        }
    };
    timeout(Duration::from_secs(5), read).await.unwrap()
}

/// Waits until the server closes its side; a reset is a failure.
pub(super) async fn assert_closes(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert_eq!(read.unwrap().unwrap(), 0, "unexpected bytes: {rest:?}");
}

/// The head of a delivery that cannot be verified before its body is complete, and never is; with these headers.
pub(super) fn unproven_head(headers: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nhost: a\r\nx-avinode-signature: 00\r\n{headers}\r\n\r\n")
}

/// Reads everything until the server closes its side.
pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await;
    read.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}
