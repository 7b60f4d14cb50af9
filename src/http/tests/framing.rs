//! Requests as bytes: half-closed connections, strict heads, idle time.

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::sockets::{assert_closes, post, read_all, read_response, short_limits, start};
use super::*;
use crate::http::limits::ServerLimits;

#[tokio::test]
async fn a_sender_that_ends_its_side_after_the_request_is_answered() {
    let sink = MemorySink::open();
    let server = start(app(&sink), short_limits()).await;
    for number in 1..=20 {
        let mut stream = server.connect().await;
        stream.write_all(post("{}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let text = read_all(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{number}: {text:?}");
    }
    assert_eq!(sink.count(), 20);
}

#[tokio::test]
async fn lenient_heads_are_refused() {
    let server = start(app(&MemorySink::open()), short_limits()).await;
    for head in [
        "GET /livez HTTP/1.1\nhost: a\n\n",
        "GET /livez HTTP/1.1\r\nhost: a\nx-a: b\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: a\r\n\n",
        "GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
        "GET /livez HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let text = read_all(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 400 "), "{head:?}: {text:?}");
    }
    // The same on a connection that was used before.
    let mut stream = server.connect().await;
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    read_response(&mut stream).await;
    stream.write_all(b"GET /livez HTTP/1.1\nhost: a\n\n").await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_request_that_follows_another_without_a_pause_is_not_answered() {
    let sink = MemorySink::open();
    let server = start(app(&sink), short_limits()).await;
    let mut stream = server.connect().await;
    let both = format!("{}{}", post("{}"), "GET /livez HTTP/1.1\nhost: a\n\n");
    stream.write_all(both.as_bytes()).await.unwrap();
    let text = read_all(&mut stream).await;
    assert!(text.contains("connection: close\r\n"), "{text}");
    assert_eq!((text.matches("HTTP/1.1 ").count(), sink.count()), (1, 1), "{text}");
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_longer_than_a_head_may_take() {
    let limits = ServerLimits {
        header_time: Duration::from_millis(200),
        idle_time: Duration::from_secs(1),
        ..short_limits()
    };
    let server = start(app(&MemorySink::open()), limits).await;
    let mut stream = server.connect().await;
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    read_response(&mut stream).await;
    let began = Instant::now();
    assert_closes(&mut stream).await;
    let idle = began.elapsed();
    assert!(
        idle >= Duration::from_millis(900) && idle < Duration::from_secs(3),
        "{idle:?}"
    );
    // A later head that is not completed has the time for a head.
    let mut slow = server.connect().await;
    slow.write_all(post("{}").as_bytes()).await.unwrap();
    read_response(&mut slow).await;
    let began = Instant::now();
    slow.write_all(b"GET /livez HTT").await.unwrap();
    assert_closes(&mut slow).await;
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}
