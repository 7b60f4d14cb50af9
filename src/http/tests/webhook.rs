//! Each response of the webhook endpoint.

use std::convert::Infallible;

use futures_util::stream;
use hyper::StatusCode;

use super::*;
use crate::avinode::notification::DeliveryKind;
use crate::domain::ids::TripId;

#[tokio::test]
async fn a_signed_delivery_is_stored_and_its_id_returned() {
    let sink = MemorySink::open();
    let body = r#"{"event":"TripRequestSellerResponse","eventId":"evt-1","timestamp":"2026-09-21T14:13:20Z",
        "apiVersion":"1.0","data":{"trip":{"id":"atrip-64956150"},"request":{"id":"arfq-12345678","status":"declined"}}}"#;
    let mut request = signed(body);
    request.headers_mut().insert("user-agent", "relay/1".parse().unwrap());
    let response = send(&app(&sink), request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    let receipt = json(response).await;
    let stored = sink.deliveries.lock().unwrap().pop().unwrap();
    assert_eq!(receipt, serde_json::json!({ "delivery": stored.id }));
    assert_eq!(stored.id.get_version_num(), 7);
    assert_eq!(stored.id.get_timestamp().unwrap().to_unix().0, 1_790_000_000);
    assert_eq!(&*stored.body, body.as_bytes());
    assert_eq!(stored.headers, [("user-agent", "relay/1".to_owned())]);
    assert_eq!(stored.verified_by, "hmac#1");
    let trip = TripId::parse("atrip-64956150").ok();
    assert_eq!(stored.route, DeliveryKind::Full { trip });
}

#[tokio::test]
async fn json_of_an_unknown_format_and_any_content_type_is_stored() {
    let sink = MemorySink::open();
    let mut request = signed("[1, null]");
    request
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(send(&app(&sink), request).await.status(), StatusCode::OK);
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn invalid_json_is_400_after_verification() {
    let sink = MemorySink::open();
    for body in [&b""[..], b"{", b"\xff\"\""] {
        assert_problem(send(&app(&sink), signed(body)).await, 400, "invalid-json").await;
    }
    let unsigned = Request::post(PATH).body(Body::from("{")).unwrap();
    assert_problem(send(&app(&sink), unsigned).await, 401, "invalid-signature").await;
    assert_eq!(sink.count(), 0);
}

#[tokio::test]
async fn a_wrong_signature_is_401_without_a_challenge_if_basic_is_not_configured() {
    let sink = MemorySink::open();
    let mut request = signed("{}");
    *request.body_mut() = Body::from("{ }");
    let response = send(&app(&sink), request).await;
    assert_eq!(header(&response, "www-authenticate"), None);
    assert_problem(response, 401, "invalid-signature").await;
}

#[tokio::test]
async fn a_request_without_credentials_is_challenged_and_basic_credentials_are_accepted() {
    let sink = MemorySink::open();
    let app = router(state(&sink, Some(BASIC), small_limits()), None);
    let bare = Request::post(PATH).body(Body::from("{}")).unwrap();
    let response = send(&app, bare).await;
    let challenge = r#"Basic realm="avinode-ingest", charset="UTF-8""#;
    assert_eq!(header(&response, "www-authenticate"), Some(challenge));
    assert_problem(response, 401, "invalid-signature").await;
    let request = Request::post(PATH)
        .header("authorization", credentials())
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(send(&app, request).await.status(), StatusCode::OK);
    let stored = sink.deliveries.lock().unwrap().pop().unwrap();
    assert_eq!((stored.verified_by.as_str(), stored.headers), ("basic#1", Vec::new()));
}

#[tokio::test]
async fn every_configured_path_receives() {
    let sink = MemorySink::open();
    let app = app(&sink);
    for path in [PATH, OTHER_PATH] {
        let mut request = signed("{}");
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(send(&app, request).await.status(), StatusCode::OK);
    }
    assert_eq!(sink.count(), 2);
}

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405_with_allow() {
    let app = app(&MemorySink::open());
    for path in ["/", "/webhooks", "/webhooks/avinode/"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_problem(send(&app, request).await, 404, "not-found").await;
    }
    for (method, path, allow) in [
        ("GET", PATH, "POST"),
        ("PUT", PATH, "POST"),
        ("POST", "/livez", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = send(&app, request).await;
        assert_eq!(header(&response, "allow"), Some(allow));
        assert_problem(response, 405, "method-not-allowed").await;
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_with_a_length_or_chunked() {
    let sink = MemorySink::open();
    let app = app(&sink);
    let long = vec![b' '; 1001];
    let announced = signed(long.clone());
    let mut chunked = signed(long.clone());
    let chunks = long
        .chunks(400)
        .map(|chunk| Ok::<_, Infallible>(chunk.to_vec()))
        .collect::<Vec<_>>();
    *chunked.body_mut() = Body::from_stream(stream::iter(chunks));
    for request in [announced, chunked] {
        let response = send(&app, request).await;
        assert_eq!(header(&response, "connection"), Some("close"));
        let problem = assert_problem(response, 413, "too-large").await;
        assert_eq!(problem["detail"], "The limit is 1000 bytes.");
    }
    let mut fits = b"\"\"".to_vec();
    fits.resize(1000, b' ');
    assert_eq!(send(&app, signed(fits)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_slow_body_is_408_and_closes_the_connection() {
    let mut request = signed("{}");
    *request.body_mut() = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    let response = send(&app(&MemorySink::open()), request).await;
    assert_eq!(header(&response, "connection"), Some("close"));
    assert_problem(response, 408, "timeout").await;
}

#[tokio::test]
async fn an_incomplete_body_is_400() {
    let mut request = signed("{}");
    *request.body_mut() = Body::from_stream(stream::iter([Err::<Vec<u8>, _>("reset")]));
    assert_problem(send(&app(&MemorySink::open()), request).await, 400, "incomplete-body").await;
}

#[tokio::test]
async fn a_delivery_that_cannot_be_stored_is_503_with_retry_after() {
    for (error, seconds) in [
        (ReceiveError::Overloaded, "1"),
        (ReceiveError::Unavailable, "5"),
        (ReceiveError::Draining, "1"),
    ] {
        let response = send(&app(&MemorySink::failing(error)), signed("{}")).await;
        assert_eq!(header(&response, "retry-after"), Some(seconds));
        assert_problem(response, 503, "unavailable").await;
    }
}

#[tokio::test]
async fn without_free_memory_a_delivery_is_503() {
    let sink = MemorySink::blocked();
    let one = WebhookLimits {
        memory: 3000,
        ..small_limits()
    };
    let state = state(&sink, None, one);
    let app = router(state.clone(), None);
    let waiting = tokio::spawn({
        let app = app.clone();
        async move { send(&app, signed("{}")).await.status() }
    });
    eventually("the first delivery holds the memory", || state.memory.free() < 3000).await;
    let response = send(&app, signed("{}")).await;
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_problem(response, 503, "unavailable").await;
    sink.gate.add_permits(2);
    assert_eq!(waiting.await.unwrap(), StatusCode::OK);
    assert_eq!(state.memory.free(), 3000);
    assert_eq!(send(&app, signed("{}")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn unsupported_encodings_and_expectations_are_rejected() {
    let app = app(&MemorySink::open());
    for (name, value, status, problem) in [
        ("content-encoding", "gzip", 415, "unsupported-encoding"),
        ("expect", "a-miracle", 417, "expectation-failed"),
    ] {
        let mut request = signed("{}");
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_problem(send(&app, request).await, status, problem).await;
    }
    for plain in ["Identity", "", "utf-8", "none", "identity, identity"] {
        let mut request = signed("{}");
        request.headers_mut().insert("content-encoding", plain.parse().unwrap());
        request.headers_mut().insert("expect", "100-continue".parse().unwrap());
        assert_eq!(send(&app, request).await.status(), StatusCode::OK, "{plain:?}");
    }
}

/// A request with a body that never arrives.
fn endless() -> Request<Body> {
    let body = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    Request::post(PATH).body(body).unwrap()
}

#[tokio::test]
async fn without_proof_of_a_configured_scheme_the_body_is_not_read() {
    let sink = MemorySink::open();
    let hmac_only = app(&sink);
    let with_basic = router(state(&sink, Some(BASIC), small_limits()), None);
    for (app, name, value, challenge) in [
        (&hmac_only, "x-other", "1", false),
        (&hmac_only, "authorization", "Basic cmVsYXk6cGFzczp3b3Jk", false),
        (&hmac_only, "webhook-signature", "v1,AAAA", false),
        (&with_basic, "x-other", "1", true),
        (&with_basic, "authorization", "Basic Z3Vlc3M6ZWQ=", true),
    ] {
        let mut request = endless();
        request.headers_mut().insert(name, value.parse().unwrap());
        let response = send(app, request).await;
        assert_eq!(header(&response, "connection"), Some("close"), "{name}: {value}");
        assert_eq!(header(&response, "www-authenticate").is_some(), challenge);
        assert_problem(response, 401, "invalid-signature").await;
    }
    // With a header that the body may confirm, it is read.
    let mut request = endless();
    request
        .headers_mut()
        .insert("x-webhook-signature", "00".parse().unwrap());
    assert_problem(send(&with_basic, request).await, 408, "timeout").await;
    let mut request = endless();
    request
        .headers_mut()
        .insert("authorization", credentials().parse().unwrap());
    assert_problem(send(&with_basic, request).await, 408, "timeout").await;
}
