//! What only a real socket shows: slowness, framing, keep-alive, caps and the drain.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::http::server::{ServerLimits, ShutdownReport, run};

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<ShutdownReport>,
}

fn short() -> ServerLimits {
    ServerLimits {
        header_time: Duration::from_secs(1),
        write_time: Duration::from_millis(300),
        drain: Duration::from_millis(500),
        ..ServerLimits::default()
    }
}

async fn start(router: Router, limits: ServerLimits) -> Server {
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
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) -> ShutdownReport {
        self.shutdown.cancel();
        self.ended.await.unwrap()
    }
}

fn post(body: &str) -> String {
    let (length, signature) = (body.len(), signature(body.as_bytes()));
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: a\r\nx-avinode-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Reads one answer whose body is as long as it says.
async fn answer(stream: &mut TcpStream) -> String {
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

/// Waits until the server has closed its side; a reset is a failure.
async fn assert_closes(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert_eq!(read.unwrap().unwrap(), 0, "more came: {rest:?}");
}

#[tokio::test]
async fn one_connection_serves_many_deliveries() {
    let keeper = Keeper::open();
    let server = start(door(&keeper), short()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(post("{}").as_bytes()).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!(keeper.count(), 3);
    assert_eq!(server.stop().await, ShutdownReport { cut_off: 0 });
    assert_closes(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_dribbles_is_answered_408_and_closed() {
    let server = start(door(&Keeper::open()), short()).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let dribble = tokio::spawn(async move {
        let head = format!("POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        while write.write_all(b" ").await.is_ok() {
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
    dribble.abort();
}

#[tokio::test]
async fn slow_headers_and_idle_connections_are_closed() {
    let server = start(door(&Keeper::open()), short()).await;
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
async fn a_chunked_body_over_the_limit_is_answered_while_it_is_still_sent() {
    let server = start(door(&Keeper::open()), short()).await;
    let mut stream = server.connect().await;
    let mut request = format!("POST {PATH} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..1000 {
        request.extend_from_slice(format!("400\r\n{}\r\n", " ".repeat(1024)).as_bytes());
    }
    // A megabyte after the limit of a thousand bytes: neither writing it nor reading the answer meets a reset.
    stream.write_all(&request).await.unwrap();
    let text = answer(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 413 ") && text.contains("connection: close\r\n"),
        "{text}"
    );
    assert_closes(&mut stream).await;
}

#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let server = start(door(&Keeper::open()), short()).await;
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
async fn a_refusal_before_the_body_sends_no_100_continue() {
    let server = start(door(&Keeper::open()), short()).await;
    let mut stream = server.connect().await;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\nexpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_a_place() {
    let one = ServerLimits {
        connections: 1,
        header_time: Duration::from_secs(10),
        ..short()
    };
    let server = start(door(&Keeper::open()), one).await;
    let mut first = server.connect().await;
    first.write_all(post("{}").as_bytes()).await.unwrap();
    answer(&mut first).await;
    let mut second = server.connect().await;
    second.write_all(post("{}").as_bytes()).await.unwrap();
    let early = timeout(Duration::from_millis(200), second.readable()).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_drain_lets_a_request_in_flight_end_and_accepts_no_more() {
    let keeper = Keeper::shut();
    let state = state(&keeper, None, small());
    let patient = ServerLimits {
        drain: Duration::from_secs(5),
        ..short()
    };
    let server = start(router(state.clone(), None), patient).await;
    let mut stream = server.connect().await;
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    eventually("the delivery waits", || state.memory.free() < small().memory).await;
    server.shutdown.cancel();
    let address = server.address;
    for attempt in 0.. {
        if TcpStream::connect(address).await.is_err() {
            break;
        }
        assert!(attempt < 100, "still accepting");
        tokio::task::yield_now().await;
    }
    keeper.gate.add_permits(1);
    let text = answer(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 200 ") && text.contains("connection: close\r\n"),
        "{text}"
    );
    assert_eq!(server.ended.await.unwrap(), ShutdownReport { cut_off: 0 });
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off_and_counted() {
    let state = state(&Keeper::shut(), None, small());
    let server = start(router(state.clone(), None), short()).await;
    let (mut stream, idle) = (server.connect().await, server.connect().await);
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    eventually("the delivery waits", || state.memory.free() < small().memory).await;
    assert_eq!(server.stop().await, ShutdownReport { cut_off: 1 });
    drop(idle);
}

#[tokio::test]
async fn handlers_know_the_peer() {
    let peer = get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string());
    let server = start(Router::new().route("/peer", peer), short()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let own = stream.local_addr().unwrap().to_string();
    assert!(answer(&mut stream).await.ends_with(&own));
}

#[tokio::test]
async fn odd_requests_are_answered_or_closed_and_harm_nobody() {
    let server = start(door(&Keeper::open()), short()).await;
    for (odd, status) in [
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
        stream.write_all(odd.as_bytes()).await.unwrap();
        let mut start = [0; 12];
        timeout(Duration::from_secs(5), stream.read_exact(&mut start))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&start[9..]), status, "for {odd:?}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_and_harms_nobody_else() {
    let router = door(&Keeper::open()).route("/panic", get(async || -> &'static str { panic!("as asked") }));
    let server = start(router, short()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let text = answer(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 500 ") && text.contains("problem:internal"),
        "{text}"
    );
    assert!(!text.contains("as asked"));
    let mut other = server.connect().await;
    other.write_all(post("{}").as_bytes()).await.unwrap();
    assert!(answer(&mut other).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_peer_that_takes_no_answers_loses_its_connection() {
    let server = start(
        door(&Keeper::open()),
        ServerLimits {
            connections: 1,
            ..short()
        },
    )
    .await;
    let mut greedy = server.connect().await;
    // Asks on and on without reading, until both sides' buffers are full and the server gives up.
    let request = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1000);
    let asking = async { while greedy.write_all(&request).await.is_ok() {} };
    timeout(Duration::from_secs(20), asking).await.unwrap();
    let mut other = server.connect().await;
    other.write_all(post("{}").as_bytes()).await.unwrap();
    assert!(answer(&mut other).await.starts_with("HTTP/1.1 200 "));
}
