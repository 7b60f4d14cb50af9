//! Server-side request forgery: every way to make the client send its credentials elsewhere is refused before a byte is sent.
//! The servers prove it, not the client.

use std::net::{Ipv4Addr, SocketAddr};

use avinode_ingest::avinode::client::avinode_client::{AvinodeClient, FetchResult};
use avinode_ingest::avinode::client::base_url::HrefMismatch;
use avinode_ingest::avinode::client::error::FetchErrorKind;
use avinode_ingest::avinode::resource::Resource;

use super::setup::{API_TOKEN, BEARER, client, resource, with_answers};
use crate::support::recorder::{Recorder, answer, ok};

/// Fetches like a worker with a notification.
async fn follow(client: &AvinodeClient, href: &str, resource: &Resource) -> Result<FetchResult, HrefMismatch> {
    client.verify_href(href, resource)?;
    Ok(client.get(resource).await)
}

fn document() -> Vec<crate::support::recorder::Part> {
    ok(r#"{"data": {"id": "arfq-1"}}"#)
}

#[tokio::test]
async fn only_the_resources_own_href_causes_a_request() {
    let avinode = Recorder::answering(document()).await;
    let evil = Recorder::answering(document()).await;
    let client = client(&avinode.base());
    let rfq = resource("arfq-1");
    let (ours, theirs) = (avinode.address, evil.address);
    let (our_port, their_port) = (ours.port(), theirs.port());
    let number = u32::from(Ipv4Addr::LOCALHOST);
    for href in [
        // Another server, or this one with another spelling of its name or address.
        format!("http://{theirs}/api/rfqs/arfq-1"),
        format!("https://{ours}/api/rfqs/arfq-1"),
        format!("http://localhost:{our_port}/api/rfqs/arfq-1"),
        format!("http://LOCALHOST:{our_port}/api/rfqs/arfq-1"),
        format!("http://127.1:{our_port}/api/rfqs/arfq-1"),
        format!("http://0x7f000001:{our_port}/api/rfqs/arfq-1"),
        format!("http://{number}:{our_port}/api/rfqs/arfq-1"),
        format!("http://[::ffff:127.0.0.1]:{our_port}/api/rfqs/arfq-1"),
        format!("http://127.0.0.1.evil.example:{our_port}/api/rfqs/arfq-1"),
        format!("http://127.0.0.1.:{our_port}/api/rfqs/arfq-1"),
        // Ports.
        "http://127.0.0.1/api/rfqs/arfq-1".to_owned(),
        format!("http://127.0.0.1:{their_port}/api/rfqs/arfq-1"),
        // User info, which can look like the host.
        format!("http://{ours}@{theirs}/api/rfqs/arfq-1"),
        format!("http://user:word@{ours}/api/rfqs/arfq-1"),
        format!("http://{theirs}@{ours}/api/rfqs/arfq-1"),
        format!("http://{ours}\\@{theirs}/api/rfqs/arfq-1"),
        format!("http://{theirs}#@{ours}/api/rfqs/arfq-1"),
        // Paths, encodings, additions.
        format!("http://{ours}/api/rfqs/arfq-1#x"),
        format!("http://{ours}/api/rfqs/arfq-1//"),
        format!("http://{theirs}/api/rfqs/arfq-1?next=http://{ours}/api/rfqs/arfq-1"),
        format!("http://{ours}/api/rfqs/../rfqs/arfq-1"),
        format!("http://{ours}/api/rfqs/%61rfq-1"),
        format!("http://{ours}\\api\\rfqs\\arfq-1"),
        format!("http://{ours}/webhooks/settings"),
        // Another id, another kind.
        format!("http://{ours}/api/rfqs/arfq-2"),
        format!("http://{ours}/api/trips/arfq-1"),
        // Line ends.
        format!("http://{ours}/api/rfqs/arfq-1\r\nHost: {theirs}"),
        // Other schemes.
        "file:///etc/passwd".to_owned(),
        format!("gopher://{theirs}/api/rfqs/arfq-1"),
        String::new(),
    ] {
        let error = follow(&client, &href, &rfq).await.unwrap_err();
        assert!(error.to_string().starts_with("refused to fetch: "), "{href}");
    }
    for (server, name) in [(&avinode, "Avinode"), (&evil, "the other server")] {
        assert!(
            server.connections().is_empty(),
            "{name} was called: {}",
            server.everything()
        );
    }
    // The correct href, to show that the test would notice a request.
    let href = format!("http://{ours}/api/rfqs/arfq-1");
    assert!(follow(&client, &href, &rfq).await.unwrap().result.is_ok());
    assert!(avinode.everything().contains(API_TOKEN) && avinode.everything().contains(BEARER));
}

#[tokio::test]
async fn another_spelling_of_the_href_causes_a_request_to_our_own_url() {
    for spelling in ["arfq-1/", "arfq-1?next=http://evil.example", "1", "1/?x=y"] {
        let avinode = Recorder::answering(document()).await;
        let client = client(&avinode.base());
        let href = format!("http://{}/api/rfqs/{spelling}", avinode.address);
        assert!(
            follow(&client, &href, &resource("arfq-1"))
                .await
                .unwrap()
                .result
                .is_ok()
        );
        let sent = avinode.everything();
        assert!(sent.contains("GET /api/rfqs/arfq-1 HTTP/1.1"), "{spelling}: {sent}");
        assert!(!sent.contains("evil.example"), "{sent}");
    }
}

#[tokio::test]
async fn an_id_that_would_change_the_path_is_not_fetched() {
    let server = Recorder::answering(document()).await;
    let client = client(&server.base());
    for id in [
        "arfq-1/../../webhooks/settings",
        "arfq-1?x=1",
        "arfq-1#",
        "arfq-1%2F..",
        "arfq-x",
        "arfq-1\\x",
    ] {
        let fetched = client.get(&resource(id)).await;
        assert!(
            matches!(&fetched.result, Err(error) if error.kind == FetchErrorKind::Permanent),
            "{id}: {fetched:?}"
        );
    }
    assert!(server.connections().is_empty(), "{}", server.everything());
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Recorder::answering(document()).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        for location in [
            format!("http://{}/api/rfqs/arfq-1", elsewhere.address),
            format!("//{}/api/rfqs/arfq-1", elsewhere.address),
            "/api/rfqs/arfq-2".to_owned(),
        ] {
            let server = Recorder::answering(answer(status, &[&format!("location: {location}")], b"")).await;
            let fetched = client(&server.base()).get(&resource("arfq-1")).await;
            let error = fetched.result.unwrap_err();
            assert!(
                matches!(
                    error.kind,
                    FetchErrorKind::Retryable {
                        after: Some(_),
                        down: true
                    }
                ),
                "{error:?}"
            );
            assert!(error.reason().contains("not followed"), "{error}");
            assert_eq!(server.connections().len(), 1);
        }
    }
    assert!(elsewhere.connections().is_empty(), "{}", elsewhere.everything());
}

#[tokio::test]
async fn a_name_with_a_private_address_in_its_dns_answer_is_not_called() {
    let inside = Recorder::answering(document()).await;
    let port = inside.address.port();
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), port);
    for answers in [
        &["127.0.0.1"][..],
        &["127.0.0.2"],
        &["10.0.0.1"],
        &["172.16.0.1"],
        &["192.168.1.1"],
        &["100.64.0.1"],
        &["169.254.169.254"],
        &["0.0.0.0"],
        &["::1"],
        &["::"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::1"],
        &["fd00:ec2::254"],
        &["fe80::1"],
        &["224.0.0.1"],
        &["192.0.2.1"],
        &["1.1.1.1", "127.0.0.1"],
        &["2606:4700:4700::1111", "::1"],
    ] {
        let addresses: Vec<SocketAddr> = answers.iter().map(|ip| at(ip)).collect();
        let client = with_answers("https://avinode.test/api", &[&addresses]);
        let error = client.get(&resource("arfq-1")).await.result.unwrap_err();
        assert!(error.reason().contains("nothing was sent"), "{answers:?}: {error}");
        assert!(
            matches!(
                error.kind,
                FetchErrorKind::Retryable {
                    after: Some(_),
                    down: true
                }
            ),
            "{answers:?}: {error:?}"
        );
    }
    assert!(
        inside.connections().is_empty(),
        "a connection was opened: {}",
        inside.everything()
    );
}

#[tokio::test]
async fn the_address_of_every_connection_is_checked() {
    let server = Recorder::answering(document()).await;
    let base = format!("http://localhost:{}/api", server.address.port());
    let elsewhere = SocketAddr::new("10.0.0.1".parse().unwrap(), server.address.port());
    let client = with_answers(&base, &[&[server.address], &[elsewhere]]);
    assert!(client.get(&resource("arfq-1")).await.result.is_ok());
    let error = client.get(&resource("arfq-1")).await.result.unwrap_err();
    assert!(
        error.reason().contains("10.0.0.1") && error.reason().contains("nothing was sent"),
        "{error}"
    );
    assert_eq!(server.connections().len(), 1);
}

#[tokio::test]
async fn a_name_without_addresses_is_retried() {
    let client = with_answers("https://avinode.test/api", &[&[]]);
    let error = client.get(&resource("arfq-1")).await.result.unwrap_err();
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
