//! One client occupies neither all connections nor all memory.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::sockets::{assert_closes, post, read_response, short_limits, start, unproven_head};
use super::*;
use crate::http::client_address::TrustedProxies;
use crate::http::limits::ServerLimits;

fn loopback() -> TrustedProxies {
    TrustedProxies::new(&["127.0.0.0/8".parse().unwrap()])
}

#[tokio::test]
async fn the_longest_idle_connection_gives_its_slot_to_a_new_one() {
    let limits = ServerLimits {
        connections: 8,
        header_time: Duration::from_secs(60),
        idle_time: Duration::from_secs(60),
        ..short_limits()
    };
    let server = start(app(&MemorySink::open()), limits).await;
    let mut idle: Vec<TcpStream> = Vec::new();
    for _ in 0..8 {
        let mut stream = server.connect().await;
        stream.write_all(post("{}").as_bytes()).await.unwrap();
        read_response(&mut stream).await;
        idle.push(stream);
    }
    for closed in 0..4 {
        let mut stream = server.connect().await;
        stream.write_all(post("{}").as_bytes()).await.unwrap();
        assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200 "));
        assert_closes(&mut idle[closed]).await;
        idle.push(stream);
    }
    // The newer ones are open.
    for stream in &mut idle[4..] {
        stream.write_all(post("{}").as_bytes()).await.unwrap();
        assert!(read_response(stream).await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn a_peer_has_a_number_of_connections_and_a_trusted_proxy_all() {
    let limits = ServerLimits {
        connections: 8,
        connections_per_peer: 2,
        header_time: Duration::from_secs(60),
        ..short_limits()
    };
    for (proxies, kept) in [(TrustedProxies::default(), 2), (loopback(), 4)] {
        let sink = MemorySink::blocked();
        let limits = ServerLimits {
            proxies,
            ..limits.clone()
        };
        let state = state(&sink, None, small_limits());
        let server = start(router(state.clone(), None), limits).await;
        let mut busy = Vec::new();
        for number in 1..=kept {
            let mut stream = server.connect().await;
            stream.write_all(post("{}").as_bytes()).await.unwrap();
            eventually("the delivery waits", || {
                small_limits().memory - state.memory.free() >= number * 2048
            })
            .await;
            busy.push(stream);
        }
        if kept == 2 {
            assert_closes(&mut server.connect().await).await;
        }
        sink.gate.add_permits(kept);
        for stream in &mut busy {
            assert!(read_response(stream).await.starts_with("HTTP/1.1 200 "));
        }
    }
}

#[tokio::test]
async fn unfinished_bodies_of_one_client_leave_memory_to_others() {
    let limits = WebhookLimits {
        bodies_per_client: 2,
        body_time: Duration::from_secs(60),
        proxies: loopback(),
        ..small_limits()
    };
    let state = state(&MemorySink::open(), None, limits);
    let server = start(router(state.clone(), None), short_limits()).await;
    let of = |client: &str| unproven_head(&format!("x-forwarded-for: {client}\r\ncontent-length: 500"));
    let mut slow = Vec::new();
    for number in 1..=2 {
        let mut stream = server.connect().await;
        stream.write_all(of("192.0.2.1").as_bytes()).await.unwrap();
        eventually("the body is awaited", || {
            small_limits().memory - state.memory.free() >= number * 2048
        })
        .await;
        slow.push(stream);
    }
    let mut third = server.connect().await;
    third.write_all(of("192.0.2.1").as_bytes()).await.unwrap();
    let text = read_response(&mut third).await;
    assert!(
        text.starts_with("HTTP/1.1 503 ") && text.contains("retry-after: 1\r\n"),
        "{text}"
    );
    let mut other = server.connect().await;
    other.write_all(post("{}").as_bytes()).await.unwrap();
    assert!(read_response(&mut other).await.starts_with("HTTP/1.1 200 "));
    drop(slow);
    eventually("the bodies are given up", || {
        state.memory.free() == small_limits().memory
    })
    .await;
}
