//! The drain at shutdown, over real sockets.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::sockets::{post, read_response, short_limits, start};
use super::*;
use crate::http::limits::ServerLimits;
use crate::http::server::ShutdownReport;

#[tokio::test]
async fn a_drain_completes_a_request_in_flight_and_accepts_no_connection() {
    let sink = MemorySink::blocked();
    let state = state(&sink, None, small_limits());
    let limits = ServerLimits {
        drain: Duration::from_secs(5),
        ..short_limits()
    };
    let server = start(router(state.clone(), None), limits).await;
    let mut stream = server.connect().await;
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    eventually("the delivery waits", || state.memory.free() < small_limits().memory).await;
    server.shutdown.cancel();
    let address = server.address;
    for attempt in 0.. {
        if TcpStream::connect(address).await.is_err() {
            break;
        }
        assert!(attempt < 100, "still accepting");
        tokio::task::yield_now().await;
    }
    sink.gate.add_permits(1);
    let text = read_response(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 200 ") && text.contains("connection: close\r\n"),
        "{text}"
    );
    assert_eq!(server.ended.await.unwrap(), ShutdownReport { cut_off: 0 });
}

#[tokio::test]
async fn a_request_that_exceeds_the_drain_time_is_aborted_and_counted() {
    let state = state(&MemorySink::blocked(), None, small_limits());
    let server = start(router(state.clone(), None), short_limits()).await;
    let (mut stream, idle) = (server.connect().await, server.connect().await);
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    eventually("the delivery waits", || state.memory.free() < small_limits().memory).await;
    assert_eq!(server.stop().await, ShutdownReport { cut_off: 1 });
    drop(idle);
}
