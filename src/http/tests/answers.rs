//! Each answer of the door, by `oneshot`.

use std::convert::Infallible;

use futures_util::stream;
use hyper::StatusCode;

use super::*;
use crate::avinode::notification::DeliveryKind;
use crate::http::readiness::Probe;
use crate::http::router::health_only;

/// Checks that an answer is the problem of that name, whole.
async fn assert_problem(response: Response, status: u16, name: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(header(&response, "content-type"), Some("application/problem+json"));
    let shown = json(response).await;
    assert_eq!(shown["type"], format!("urn:avinode-ingest:problem:{name}"));
    assert_eq!(shown["status"], status);
    assert!(shown["title"].is_string() && shown["detail"].is_string());
    shown
}

#[tokio::test]
async fn a_signed_delivery_is_kept_and_answered_with_its_id() {
    let keeper = Keeper::open();
    let body = r#"{"event":"TripRequestSellerResponse","eventId":"evt-1","timestamp":"2026-09-21T14:13:20Z",
        "apiVersion":"1.0","data":{"trip":{"id":"atrip-64956150"},"request":{"id":"arfq-12345678","status":"declined"}}}"#;
    let mut request = signed(body);
    request.headers_mut().insert("user-agent", "relay/1".parse().unwrap());
    let response = ask(&door(&keeper), request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    let shown = json(response).await;
    let kept = keeper.arrivals.lock().unwrap().pop().unwrap();
    assert_eq!(shown, serde_json::json!({ "delivery": kept.id }));
    assert_eq!(kept.id.get_version_num(), 7);
    assert_eq!(kept.id.get_timestamp().unwrap().to_unix().0, 1_790_000_000);
    assert_eq!(&*kept.body, body.as_bytes());
    assert_eq!(kept.headers, [("user-agent", "relay/1".to_owned())]);
    assert_eq!(kept.verified_by, "hmac#1");
    assert_eq!(kept.route, DeliveryKind::Full);
}

#[tokio::test]
async fn json_that_nobody_understands_is_kept_whatever_its_content_type() {
    let keeper = Keeper::open();
    let mut request = signed("[1, null]");
    request
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(ask(&door(&keeper), request).await.status(), StatusCode::OK);
    assert_eq!(keeper.count(), 1);
}

#[tokio::test]
async fn what_is_not_json_is_400_once_it_is_verified() {
    let keeper = Keeper::open();
    for body in [&b""[..], b"{", b"\xff\"\""] {
        assert_problem(ask(&door(&keeper), signed(body)).await, 400, "not-json").await;
    }
    let unsigned = Request::post(PATH).body(Body::from("{")).unwrap();
    assert_problem(ask(&door(&keeper), unsigned).await, 401, "not-verified").await;
    assert_eq!(keeper.count(), 0);
}

#[tokio::test]
async fn a_wrong_signature_is_401_without_a_challenge_when_basic_is_not_offered() {
    let keeper = Keeper::open();
    let mut request = signed("{}");
    *request.body_mut() = Body::from("{ }");
    let response = ask(&door(&keeper), request).await;
    assert_eq!(header(&response, "www-authenticate"), None);
    assert_problem(response, 401, "not-verified").await;
}

#[tokio::test]
async fn a_bare_request_is_challenged_and_basic_credentials_are_then_taken() {
    let keeper = Keeper::open();
    let door = router(state(&keeper, Some(BASIC), small()), None);
    let bare = Request::post(PATH).body(Body::from("{}")).unwrap();
    let response = ask(&door, bare).await;
    let challenge = r#"Basic realm="avinode-ingest", charset="UTF-8""#;
    assert_eq!(header(&response, "www-authenticate"), Some(challenge));
    assert_problem(response, 401, "not-verified").await;
    let request = Request::post(PATH)
        .header("authorization", credentials())
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(ask(&door, request).await.status(), StatusCode::OK);
    let kept = keeper.arrivals.lock().unwrap().pop().unwrap();
    assert_eq!((kept.verified_by.as_str(), kept.headers), ("basic#1", Vec::new()));
}

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405_with_allow() {
    let door = door(&Keeper::open());
    for path in ["/", "/webhooks", "/webhooks/avinode/"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_problem(ask(&door, request).await, 404, "not-found").await;
    }
    for (method, path, allow) in [
        ("GET", PATH, "POST"),
        ("PUT", PATH, "POST"),
        ("POST", "/livez", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = ask(&door, request).await;
        assert_eq!(header(&response, "allow"), Some(allow));
        assert_problem(response, 405, "method-not-allowed").await;
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_announced_or_chunked() {
    let keeper = Keeper::open();
    let door = door(&keeper);
    let long = vec![b' '; 1001];
    let announced = signed(long.clone());
    let mut chunked = signed(long.clone());
    let chunks = long
        .chunks(400)
        .map(|chunk| Ok::<_, Infallible>(chunk.to_vec()))
        .collect::<Vec<_>>();
    *chunked.body_mut() = Body::from_stream(stream::iter(chunks));
    for request in [announced, chunked] {
        let response = ask(&door, request).await;
        assert_eq!(header(&response, "connection"), Some("close"));
        let shown = assert_problem(response, 413, "too-large").await;
        assert_eq!(shown["detail"], "At most 1000 bytes are taken.");
    }
    let mut fits = b"\"\"".to_vec();
    fits.resize(1000, b' ');
    assert_eq!(ask(&door, signed(fits)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_dribbles_is_408_and_closes_the_connection() {
    let mut request = signed("{}");
    *request.body_mut() = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    let response = ask(&door(&Keeper::open()), request).await;
    assert_eq!(header(&response, "connection"), Some("close"));
    assert_problem(response, 408, "timeout").await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let mut request = signed("{}");
    *request.body_mut() = Body::from_stream(stream::iter([Err::<Vec<u8>, _>("reset")]));
    assert_problem(ask(&door(&Keeper::open()), request).await, 400, "broken-body").await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_503_with_retry_after() {
    for (why, seconds) in [
        (ReceiveError::Overloaded, "1"),
        (ReceiveError::Unavailable, "5"),
        (ReceiveError::Draining, "1"),
    ] {
        let response = ask(&door(&Keeper::refusing(why)), signed("{}")).await;
        assert_eq!(header(&response, "retry-after"), Some(seconds));
        assert_problem(response, 503, "unavailable").await;
    }
}

#[tokio::test]
async fn without_memory_a_delivery_is_503_until_others_are_kept() {
    let keeper = Keeper::shut();
    let one = WebhookLimits {
        memory: 3000,
        ..small()
    };
    let state = state(&keeper, None, one);
    let door = router(state.clone(), None);
    let waiting = tokio::spawn({
        let door = door.clone();
        async move { ask(&door, signed("{}")).await.status() }
    });
    eventually("the first delivery holds the memory", || state.memory.free() < 3000).await;
    let response = ask(&door, signed("{}")).await;
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_problem(response, 503, "unavailable").await;
    keeper.gate.add_permits(2);
    assert_eq!(waiting.await.unwrap(), StatusCode::OK);
    assert_eq!(state.memory.free(), 3000);
    assert_eq!(ask(&door, signed("{}")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_delivery_goes_on_when_its_sender_goes_away() {
    let keeper = Keeper::shut();
    let state = state(&keeper, None, small());
    let door = router(state.clone(), None);
    let request = tokio::spawn(async move { ask(&door, signed("{}")).await });
    eventually("the delivery waits to be kept", || state.memory.free() < small().memory).await;
    tokio::task::yield_now().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    keeper.gate.add_permits(1);
    eventually("the delivery is kept", || keeper.count() == 1).await;
    eventually("its memory is given back", || state.memory.free() == small().memory).await;
}

#[tokio::test]
async fn encodings_and_expectations_that_we_could_not_honour_are_refused() {
    let door = door(&Keeper::open());
    for (name, value, status, problem) in [
        ("content-encoding", "gzip", 415, "unsupported-encoding"),
        ("expect", "a-miracle", 417, "expectation-failed"),
    ] {
        let mut request = signed("{}");
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_problem(ask(&door, request).await, status, problem).await;
    }
    let mut request = signed("{}");
    request
        .headers_mut()
        .insert("content-encoding", "Identity".parse().unwrap());
    request.headers_mut().insert("expect", "100-continue".parse().unwrap());
    assert_eq!(ask(&door, request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn livez_needs_nothing_and_answers_head() {
    let door = health_only(Readiness::new(HeartbeatRegistry::new(), Vec::new()));
    for method in ["GET", "HEAD"] {
        let request = Request::builder()
            .method(method)
            .uri("/livez")
            .body(Body::empty())
            .unwrap();
        assert_eq!(ask(&door, request).await.status(), StatusCode::OK);
    }
    assert_problem(ask(&door, signed("{}")).await, 404, "not-found").await;
}

#[tokio::test]
async fn readyz_names_what_is_wrong_and_draining_asks_nothing() {
    let heartbeats = HeartbeatRegistry::new();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let database = Probe::new("database", move || {
        *count.lock().unwrap() += 1;
        Box::pin(async { Ok(()) })
    });
    let schema = Probe::new("schema", || Box::pin(std::future::pending())).patience(Duration::from_millis(10));
    let readiness = Readiness::new(heartbeats.clone(), vec![database, schema]);
    let door = health_only(readiness.clone());
    let ready = || async {
        let response = ask(&door, Request::get("/readyz").body(Body::empty()).unwrap()).await;
        (response.status().as_u16(), json(response).await)
    };
    let (status, shown) = ready().await;
    assert_eq!(status, 503);
    let checks = serde_json::json!({
        "accepting": "ok", "database": "ok", "loops": "ok", "schema": "no answer in time",
    });
    assert_eq!(
        shown,
        serde_json::json!({ "status": "not ready", "checks": checks, "details": {} })
    );
    let _worker = heartbeats.register("worker", Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(ready().await.1["checks"]["loops"], "stale: worker");
    assert_eq!(*asked.lock().unwrap(), 1, "an answer is fresh for a second");
    readiness.drain();
    let draining = serde_json::json!({ "status": "not ready", "checks": { "accepting": "draining" }, "details": {} });
    assert_eq!(ready().await, (503, draining));
}

#[tokio::test]
async fn readyz_is_200_when_all_is_well() {
    let door = door(&Keeper::open());
    let response = ask(&door, Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    let checks = serde_json::json!({ "accepting": "ok", "loops": "ok" });
    assert_eq!(
        json(response).await,
        serde_json::json!({ "status": "ready", "checks": checks, "details": {} })
    );
}
