//! Ids of requests: taken in or made, and found again in the response, in problems and in what is stored.

use reqwest::Method;
use serde_json::Value;

use super::{Api, READ, send};
use crate::support::bodies::quote_of;
use crate::support::service::signer;
use crate::support::sql::text;

/// The id in the header of a response.
fn id(headers: &reqwest::header::HeaderMap) -> String {
    headers["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_taken_in_or_made_and_is_in_the_response_and_in_problems() {
    let api = Api::start().await;
    let with = |id: &str| {
        let request = api.request(Method::GET, "/v1/sessions/none").bearer_auth(READ);
        request.header("x-request-id", id.to_owned())
    };
    let taken = send(with("a-client.s_id-1")).await;
    taken.assert_problem(404, "session-not-found");
    assert_eq!(
        (id(&taken.headers).as_str(), &taken.body["request_id"]),
        ("a-client.s_id-1", &"a-client.s_id-1".into())
    );
    // Not one of these: too long, with other characters, empty, or several.
    let long = "x".repeat(129);
    for refused in [long.as_str(), "a b", "a\"b", "", "ä"] {
        let made = send(with(refused)).await;
        assert_eq!(made.body["request_id"], id(&made.headers).as_str());
        assert!(
            uuid::Uuid::parse_str(&id(&made.headers)).is_ok(),
            "{refused:?}: {made:?}"
        );
    }
    let two = send(with("one").header("x-request-id", "two")).await;
    assert!(uuid::Uuid::parse_str(&id(&two.headers)).is_ok());
    let mut seen = std::collections::BTreeSet::new();
    for path in ["/livez", "/readyz", "/openapi.json", "/nowhere", "/v1/sessions"] {
        let response = send(api.request(Method::GET, path)).await;
        assert!(seen.insert(id(&response.headers)), "{path}");
    }
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_delivery_is_stored_with_it_whether_it_was_sent_or_made() {
    let api = Api::start().await;
    for (number, sent) in [(1, Some("relay-7")), (2, None)] {
        let body = serde_json::to_vec(&quote_of("REQ001", &format!("aquote-{number}"), number)).unwrap();
        let mut request = api.request(Method::POST, "/webhooks/avinode").body(body.clone());
        for (name, value) in signer().sign("msg", &body, avinode_ingest::clock::Clock::System.now()) {
            request = request.header(name, value);
        }
        if let Some(sent) = sent {
            request = request.header("x-request-id", sent);
        }
        let response = send(request).await;
        assert_eq!(response.status, 200);
        let answered = id(&response.headers);
        assert!(sent.is_none_or(|sent| sent == answered));
        let stored = "SELECT headers FROM avinode_ingest.deliveries ORDER BY id DESC LIMIT 1";
        let headers = text(&api.db.pool, stored).await.unwrap();
        assert!(
            headers.lines().any(|line| line == format!("x-request-id: {answered}")),
            "{headers}"
        );
        assert_ne!(response.body["delivery"], Value::Null);
    }
    api.service.stop().await;
}
