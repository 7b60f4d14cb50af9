//! Signing in: with a token, for as long as the token is configured, and for no longer than twelve hours.

use avinode_ingest::clock::Clock;
use avinode_ingest::http::v1::auth::BearerTokens;
use chrono::TimeDelta;
use reqwest::Method;
use uuid::Uuid;

use super::{ADMIN, ConsoleService, READ, WRITE, settings, tokens};
use crate::support::cluster::Db;

/// Pages and actions: the method and the path.
fn paths() -> Vec<(Method, String)> {
    let session = format!("/console/sessions/{}", Uuid::from_u128(7));
    vec![
        (Method::GET, "/console".to_owned()),
        (Method::GET, "/console?q=A1B2C3".to_owned()),
        (Method::GET, "/console/events".to_owned()),
        (Method::GET, session.clone()),
        (Method::POST, format!("{session}/pin")),
        (Method::POST, format!("{session}/unpin")),
        (Method::POST, "/console/sign-out".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_every_page_and_action_leads_to_the_page_for_signing_in() {
    let console = ConsoleService::start().await;
    let browser = console.browser();
    for (method, path) in paths() {
        let form = (method == Method::POST).then(|| "form_token=x".to_owned());
        let page = browser.send(method.clone(), &path, form.clone()).await;
        assert_eq!(page.status, 303, "{method} {path}");
        let next = if method == Method::GET {
            path.as_str()
        } else {
            "/console"
        };
        let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        assert_eq!(page.location(), format!("/console/sign-in?next={query}"));
        // htmx would put the page for signing in into the place of a part.
        let part = browser
            .clone()
            .sending("hx-request", "true")
            .send(method, &path, form)
            .await;
        assert_eq!(part.status, 401);
        assert!(
            part.headers["hx-redirect"]
                .to_str()
                .unwrap()
                .starts_with("/console/sign-in")
        );
    }
    let page = browser.get("/console/sign-in?next=/console/sessions/7").await;
    assert_eq!(page.status, 200);
    page.assert_has(r#"name="next" value="/console/sessions/7""#);
    for outside in [
        "/metrics",
        "//elsewhere/console",
        "/console/../metrics",
        "/console/%252e%252E/metrics",
        "/console/./x",
    ] {
        let page = browser.get(&format!("/console/sign-in?next={outside}")).await;
        page.assert_has(r#"name="next" value="/console""#);
    }
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signs_in_and_any_other_text_does_not() {
    let console = ConsoleService::start().await;
    for (token, name) in [(READ, "staff"), (WRITE, "broker"), (ADMIN, "operations")] {
        let mut browser = console.browser();
        let answer = browser.sign_in(token).await;
        assert_eq!((answer.status, answer.location()), (303, "/console"));
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        assert!(!cookie.contains(token) && !cookie.contains("Secure"), "{cookie}");
        let page = browser.get("/console").await;
        assert_eq!(page.status, 200);
        page.assert_has(name);
        page.assert_lacks(token);
    }
    for wrong in ["", "a-token-with-the-scope-rea", "a-token-with-the-scope-read2"] {
        let mut browser = console.browser();
        let answer = browser.sign_in(wrong).await;
        assert_eq!(answer.status, 403, "{wrong}");
        assert!(browser.cookie.is_none());
        answer.assert_has("No token of this service has this text");
        assert_eq!(browser.get("/console").await.status, 303);
    }
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_token_and_only_with_its_own() {
    let tokens = tokens();
    let mut settings = settings();
    settings.api.tokens = tokens.clone();
    let console = ConsoleService::with(Db::new().await, settings).await;
    let (staff, broker) = (console.signed_in(READ).await, console.signed_in(WRITE).await);
    let scope = avinode_ingest::domain::api_scope::ApiScope::Read;
    // As SIGHUP does.
    tokens.replace(&BearerTokens::new([("staff", scope, READ)]));
    assert_eq!(staff.get("/console").await.status, 200);
    assert_eq!(broker.get("/console").await.status, 303);
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_valid_in_every_process_and_ends_after_twelve_hours() {
    let db = Db::new().await;
    let console = ConsoleService::with(db, settings()).await;
    let browser = console.signed_in(READ).await;
    for (hours, status) in [(0, 200), (11, 200), (12, 303)] {
        let later = Clock::System.now() + TimeDelta::hours(hours) + TimeDelta::minutes(1);
        let settings = avinode_ingest::service::ServiceSettings {
            clock: Clock::Fixed(later),
            workers: 0,
            ..settings()
        };
        let other = crate::support::service::RunningService::with_admin_listener(&console.db.pool, settings).await;
        let mut elsewhere = browser.clone();
        elsewhere.base = other.admin.clone().unwrap();
        assert_eq!(elsewhere.get("/console").await.status, status, "after {hours} h");
        other.stop().await;
    }
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_removes_the_cookie() {
    let console = ConsoleService::start().await;
    let browser = console.signed_in(READ).await;
    let page = browser.get("/console").await;
    let answer = browser.submit(&page, "/console/sign-out", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/console/sign-in"));
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("=;") && cookie.contains("Max-Age=0"), "{cookie}");
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_nobody_signs_in_and_the_page_names_the_setting() {
    let without = avinode_ingest::service::ServiceSettings::default();
    let console = ConsoleService::with(Db::new().await, without).await;
    let mut browser = console.browser();
    browser
        .get("/console/sign-in")
        .await
        .assert_has("Set INGEST_API_TOKENS");
    assert_eq!(browser.sign_in("").await.status, 403);
    console.service.stop().await;
}
