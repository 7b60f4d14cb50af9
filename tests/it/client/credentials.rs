//! The headers of a call, and that no credential is printed.

use chrono::{DateTime, SubsecRound as _, Utc};

use super::setup::{API_TOKEN, BEARER, client, now, resource};
use crate::support::recorder::{Recorder, ok};

#[tokio::test]
async fn a_get_has_every_header_of_the_reference_once() {
    let server = Recorder::answering(ok(r#"{"data": {"id": "arfq-1"}}"#)).await;
    let fetched = client(&server.base()).get(&resource("arfq-1")).await;
    assert_eq!(fetched.began_at, now().trunc_subsecs(6));
    assert_eq!(fetched.result.unwrap().data["id"], "arfq-1");
    let request = server.everything();
    assert!(request.starts_with("GET /api/rfqs/arfq-1 HTTP/1.1\r\n"), "{request}");
    let values = |name: &str| -> Vec<String> {
        let lines = request.lines().filter_map(|line| line.split_once(": "));
        let found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned()).collect()
    };
    let product = concat!("avinode-ingest/", env!("CARGO_PKG_VERSION"));
    for (name, value) in [
        ("authorization", format!("Bearer {BEARER}")),
        ("x-avinode-apitoken", API_TOKEN.to_owned()),
        ("x-avinode-senttimestamp", "2026-01-31T10:00:00.123Z".to_owned()),
        ("x-avinode-apiversion", "v1.0".to_owned()),
        ("x-avinode-product", product.to_owned()),
        ("x-avinode-actasaccount", "acct-hush".to_owned()),
        ("user-agent", product.to_owned()),
        ("accept", "application/json".to_owned()),
        ("accept-encoding", "gzip".to_owned()),
        ("host", server.address.to_string()),
    ] {
        assert_eq!(values(name), [value], "{name}: {request}");
    }
    let sent: DateTime<Utc> = values("x-avinode-senttimestamp")[0].parse().unwrap();
    assert_eq!(sent, now().trunc_subsecs(3));
}

#[tokio::test]
async fn neither_a_client_nor_its_errors_show_a_credential() {
    let server = Recorder::answering(Vec::new()).await;
    let client = client(&server.base());
    let failed = client.get(&resource("arfq-1")).await;
    assert!(server.everything().contains(API_TOKEN), "it was not sent");
    let shown = format!("{client:?} {failed:?} {}", failed.result.as_ref().unwrap_err());
    assert!(!shown.contains("hush"), "{shown}");
}
