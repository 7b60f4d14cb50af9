//! The health endpoints.

use hyper::StatusCode;

use tokio::time::Instant;

use super::*;
use crate::http::readiness::ReadinessProbe;
use crate::http::router::health_only;

#[tokio::test]
async fn livez_answers_get_and_head_without_a_database() {
    let app = health_only(Readiness::new(HeartbeatRegistry::new(), Vec::new(), Vec::new()));
    for method in ["GET", "HEAD"] {
        let request = Request::builder()
            .method(method)
            .uri("/livez")
            .body(Body::empty())
            .unwrap();
        assert_eq!(send(&app, request).await.status(), StatusCode::OK);
    }
    assert_problem(send(&app, signed("{}")).await, 404, "not-found").await;
}

#[tokio::test]
async fn readyz_names_failed_checks_and_runs_none_while_draining() {
    let heartbeats = HeartbeatRegistry::new();
    let calls = Arc::new(Mutex::new(0));
    let count = Arc::clone(&calls);
    let database = ReadinessProbe::new("database", move || {
        *count.lock().unwrap() += 1;
        Box::pin(async { Ok(()) })
    });
    let schema = ReadinessProbe::new("schema", || Box::pin(std::future::pending())).timeout(Duration::from_millis(10));
    let readiness = Readiness::new(heartbeats.clone(), vec![database, schema], Vec::new());
    let app = health_only(readiness.clone());
    let ready = || async {
        let response = send(&app, Request::get("/readyz").body(Body::empty()).unwrap()).await;
        (response.status().as_u16(), json(response).await)
    };
    let (status, report) = ready().await;
    assert_eq!(status, 503);
    let checks = serde_json::json!({
        "accepting": "ok", "database": "ok", "loops": "ok", "schema": "no answer in time",
    });
    assert_eq!(
        report,
        serde_json::json!({ "status": "not ready", "checks": checks, "details": {} })
    );
    let _worker = heartbeats.register("worker", Duration::ZERO);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let report = ready().await.1;
        if report["checks"]["loops"] == "stale: worker" {
            break;
        }
        assert!(Instant::now() < deadline, "{report}");
    }
    assert_eq!(*calls.lock().unwrap(), 1, "a result is cached for a second");
    readiness.drain();
    let draining = serde_json::json!({ "status": "not ready", "checks": { "accepting": "draining" }, "details": {} });
    assert_eq!(ready().await, (503, draining));
}

#[tokio::test]
async fn readyz_is_200_when_every_check_is_ok() {
    let app = app(&MemorySink::open());
    let response = send(&app, Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    let checks = serde_json::json!({ "accepting": "ok", "loops": "ok" });
    assert_eq!(
        json(response).await,
        serde_json::json!({ "status": "ready", "checks": checks, "details": {} })
    );
}
