//! A call is bounded in time and in bytes, whatever the server does.

use std::io::Write as _;
use std::time::{Duration, Instant};

use avinode_ingest::avinode::client::error::{FetchError, FetchErrorKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::net::TcpListener;

use super::setup::{hasty, resource, short};
use crate::support::recorder::{Part, Recorder, Script, answer};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn begun(headers: &str) -> Part {
    Part::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}\r\n").into_bytes())
}

/// Calls a server with this script; fails if the call does not end in time.
async fn call(script: Script) -> Result<(), FetchError> {
    let server = Recorder::answering(script).await;
    let began = Instant::now();
    let fetched = hasty(&server.base()).get(&resource("arfq-1")).await;
    assert!(
        began.elapsed() < short().total + Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    fetched.result.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_in_every_encoding() {
    let limit = short().body;
    let body = |length: usize| format!("{{\"data\": \"{}\"}}", "x".repeat(length - 12));
    let gzipped = |length: usize| answer("200 OK", &["content-encoding: gzip"], &gzip(body(length).as_bytes()));
    let no_pause = Duration::ZERO;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000)).into_bytes();
    // The limit is exact, before and after decompression.
    assert_eq!(call(answer("200 OK", &[], body(limit).as_bytes())).await, Ok(()));
    assert_eq!(call(gzipped(limit)).await, Ok(()));
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.len() < 100 * 1024, "{}", bomb.len());
    for (name, script) in [
        ("one byte more", answer("200 OK", &[], body(limit + 1).as_bytes())),
        ("one byte more after decompression", gzipped(limit + 1)),
        ("a bomb", answer("200 OK", &["content-encoding: gzip"], &bomb)),
        (
            "endless, without a length",
            vec![
                begun("connection: close\r\n"),
                Part::Endless(vec![b'x'; 4096], no_pause),
            ],
        ),
        (
            "endless, in chunks",
            vec![begun("transfer-encoding: chunked\r\n"), Part::Endless(chunk, no_pause)],
        ),
        (
            "an enormous length",
            vec![
                begun("content-length: 99999999999\r\n"),
                Part::Endless(vec![b'x'; 4096], no_pause),
            ],
        ),
    ] {
        let error = call(script).await.unwrap_err();
        assert!(matches!(error.kind, FetchErrorKind::Permanent), "{name}: {error:?}");
        assert!(error.reason().contains("longer than 65536 bytes"), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_a_timeout() {
    let drip = Duration::from_millis(20);
    for (name, script) in [
        ("sends nothing", vec![Part::Silence]),
        (
            "stops in the headers",
            vec![Part::Bytes(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), Part::Silence],
        ),
        (
            "stops in the body",
            vec![
                begun("content-length: 10\r\n"),
                Part::Bytes(b"{".to_vec()),
                Part::Silence,
            ],
        ),
        (
            "drips its headers",
            vec![
                Part::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec()),
                Part::Endless(b"x: y\r\n".to_vec(), drip),
            ],
        ),
        (
            "drips its body",
            vec![begun("content-length: 60000\r\n"), Part::Endless(b" ".to_vec(), drip)],
        ),
        (
            "drips its gzip",
            vec![
                begun("content-encoding: gzip\r\n"),
                Part::Bytes(gzip(b"{}")[..8].to_vec()),
                Part::Silence,
            ],
        ),
    ] {
        let error = call(script).await.unwrap_err();
        assert!(
            matches!(
                error.kind,
                FetchErrorKind::Retryable {
                    after: None,
                    down: true
                }
            ),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_headers_are_not_collected() {
    let line = format!("x: {}\r\n", "y".repeat(8000)).into_bytes();
    let script = vec![
        Part::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Part::Endless(line, Duration::ZERO),
    ];
    let error = call(script).await.unwrap_err();
    assert!(
        matches!(
            error.kind,
            FetchErrorKind::Retryable {
                after: None,
                down: true
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_truncated_body_is_not_a_document() {
    let whole = gzip(br#"{"data": {"id": "arfq-1"}}"#);
    let cut = [
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n",
        &whole[..whole.len() - 9],
    ]
    .concat();
    for script in [
        vec![
            begun("content-length: 100\r\n"),
            Part::Bytes(br#"{"data": {"id": "arfq-1"}}"#.to_vec()),
        ],
        vec![Part::Bytes(cut)],
        vec![
            begun("connection: close\r\n"),
            Part::Bytes(br#"{"data": {"id""#.to_vec()),
        ],
        Vec::new(),
    ] {
        let error = call(script).await.unwrap_err();
        assert!(
            matches!(
                error.kind,
                FetchErrorKind::Retryable {
                    after: None,
                    down: true
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_is_retried() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = hasty(&format!("http://{closed}/api"))
        .get(&resource("arfq-1"))
        .await
        .result
        .unwrap_err();
    assert!(
        matches!(
            error.kind,
            FetchErrorKind::Retryable {
                after: None,
                down: true
            }
        ),
        "{error:?}"
    );
    assert!(error.reason().starts_with("GET rfqs/arfq-1: "), "{error}");
}
