//! Connections over real sockets: slow peers, framing, keep-alive and limits.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::sockets::{assert_closes, post, read_response, short_limits, start, unproven_head};
use super::*;
use crate::http::limits::ServerLimits;
use crate::http::server::ShutdownReport;

#[tokio::test]
async fn one_connection_serves_many_deliveries() {
    let sink = MemorySink::open();
    let server = start(app(&sink), short_limits()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(post("{}").as_bytes()).await.unwrap();
        assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!(sink.count(), 3);
    assert_eq!(server.stop().await, ShutdownReport { cut_off: 0 });
    assert_closes(&mut stream).await;
}

#[tokio::test]
async fn a_slow_body_is_answered_408_and_its_connection_closed() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let slow = tokio::spawn(async move {
        let head = unproven_head("content-length: 500");
        write.write_all(head.as_bytes()).await.unwrap();
        while write.write_all(b" ").await.is_ok() {
            // The sender is slow on purpose.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut text = String::new();
    timeout(Duration::from_secs(5), read.read_to_string(&mut text))
        .await
        .unwrap()
        .unwrap();
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(
        text.contains("connection: close\r\n") && text.contains("problem:timeout"),
        "{text}"
    );
    slow.abort();
}

#[tokio::test]
async fn slow_headers_and_idle_connections_are_closed() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    let (mut slow, mut idle) = (server.connect().await, server.connect().await);
    slow.write_all(b"POST /webhooks/avinode HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    let began = Instant::now();
    assert_closes(&mut slow).await;
    assert_closes(&mut idle).await;
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_answered_while_it_is_sent() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    let mut stream = server.connect().await;
    let mut request = unproven_head("transfer-encoding: chunked").into_bytes();
    for _ in 0..1000 {
        request.extend_from_slice(format!("400\r\n{}\r\n", " ".repeat(1024)).as_bytes());
    }
    // A megabyte after the limit of a thousand bytes: neither writing it nor reading the response meets a reset.
    stream.write_all(&request).await.unwrap();
    let text = read_response(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 413 ") && text.contains("connection: close\r\n"),
        "{text}"
    );
    assert_closes(&mut stream).await;
}

#[tokio::test]
async fn headers_over_the_limit_are_rejected() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    let mut stream = server.connect().await;
    let request = format!(
        "GET /livez HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n",
        "a".repeat(17_000)
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = [0; 12];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"HTTP/1.1 431");
}

#[tokio::test]
async fn a_rejection_before_the_body_sends_no_100_continue() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    let mut stream = server.connect().await;
    let head = unproven_head("content-length: 5000\r\nexpect: 100-continue");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn connections_over_the_limit_wait_while_none_is_idle() {
    let one = ServerLimits {
        connections: 1,
        header_time: Duration::from_secs(10),
        ..short_limits()
    };
    let sink = MemorySink::blocked();
    let state = state(&sink, None, small_limits());
    let server = start(router(state.clone(), None), one).await;
    let mut first = server.connect().await;
    first.write_all(post("{}").as_bytes()).await.unwrap();
    eventually("the delivery waits", || state.memory.free() < small_limits().memory).await;
    let mut second = server.connect().await;
    second.write_all(post("{}").as_bytes()).await.unwrap();
    let early = timeout(Duration::from_millis(200), second.readable()).await;
    assert!(early.is_err(), "the second connection was served beside the first");
    sink.gate.add_permits(2);
    let text = read_response(&mut first).await;
    assert!(
        text.starts_with("HTTP/1.1 200 ") && text.contains("connection: close\r\n"),
        "{text}"
    );
    assert!(read_response(&mut second).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn handlers_know_the_peer() {
    let peer = get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string());
    let server = start(Router::new().route("/peer", peer), short_limits()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let own = stream.local_addr().unwrap().to_string();
    assert!(read_response(&mut stream).await.ends_with(&own));
}

#[tokio::test]
async fn unusual_requests_are_answered() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    for (request, status) in [
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "404"),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", "404"),
        ("GET http://b/livez HTTP/1.1\r\nhost: a\r\n\r\n", "200"),
        ("GET /livez HTTP/1.0\r\n\r\n", "200"),
        ("\x16\x03\x01 tls?\r\n\r\n", "400"),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "400",
        ),
    ] {
        let mut stream = server.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut start = [0; 12];
        timeout(Duration::from_secs(5), stream.read_exact(&mut start))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&start[9..]), status, "for {request:?}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_and_affects_no_other_connection() {
    let router = app(&MemorySink::open()).route("/panic", get(async || -> &'static str { panic!("panic text") }));
    let server = start(router, short_limits()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let text = read_response(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 500 ") && text.contains("problem:internal"),
        "{text}"
    );
    assert!(!text.contains("panic text"));
    let mut other = server.connect().await;
    other.write_all(post("{}").as_bytes()).await.unwrap();
    assert!(read_response(&mut other).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn the_connection_of_a_peer_that_reads_no_response_is_closed() {
    let server = start(
        app(&MemorySink::open()),
        ServerLimits {
            connections: 1,
            ..short_limits()
        },
    )
    .await;
    let mut unread = server.connect().await;
    // Sends requests without reading, until the buffers of both sides are full and the write timeout fires.
    let request = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1000);
    let sending = async { while unread.write_all(&request).await.is_ok() {} };
    timeout(Duration::from_secs(20), sending).await.unwrap();
    let mut other = server.connect().await;
    other.write_all(post("{}").as_bytes()).await.unwrap();
    assert!(read_response(&mut other).await.starts_with("HTTP/1.1 200 "));
}
