//! Users whom an authenticating proxy names: believed from trusted proxies only.

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::client_address::TrustedProxies;
use avinode_ingest::http::console::state::UserHeader;
use avinode_ingest::service::ServiceSettings;
use reqwest::header::HeaderName;
use serde_json::Value;

use super::{ConsoleService, READ, settings};
use crate::support::cluster::Db;
use crate::support::sessions::SessionBuilder;

/// Settings with the header, and with these trusted networks.
fn with_header(networks: &[&str], scope: ApiScope) -> ServiceSettings {
    let mut settings = settings();
    let networks: Vec<_> = networks.iter().map(|network| network.parse().unwrap()).collect();
    settings.server.proxies = TrustedProxies::new(&networks);
    settings.console_user = Some(UserHeader {
        name: HeaderName::from_static("x-forwarded-user"),
        scope,
    });
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_a_trusted_proxy_names_needs_no_token_and_is_the_actor() {
    let settings = with_header(&["127.0.0.0/8"], ApiScope::Write);
    let console = ConsoleService::with(Db::new().await, settings).await;
    let session = SessionBuilder::new().insert(&console.db.pool).await;
    let browser = console.browser().sending("x-forwarded-user", "alice@broker.example");
    let page = browser.get("/console").await;
    assert_eq!(page.status, 200);
    page.assert_has("alice@broker.example");
    page.assert_lacks("Sign out");
    let path = format!("/console/sessions/{session}");
    let fields = [("form_token", "x")];
    assert_eq!(browser.post(&format!("{path}/unpin"), &fields).await.status, 403);
    let quote: uuid::Uuid = sqlx::query_scalar(
        "INSERT INTO public.quotes (id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status)
         SELECT gen_random_uuid(), request_id, 'company-1', 'Northwind Jets', 1, 1, 'Light Jet', 'received'
         FROM public.chat_sessions WHERE id = $1 RETURNING id",
    )
    .bind(session)
    .fetch_one(&console.db.pool)
    .await
    .unwrap();
    sqlx::query("INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted) VALUES ($1, $2, true)")
        .bind(session)
        .bind(format!("row:{quote}"))
        .execute(&console.db.pool)
        .await
        .unwrap();
    let page = browser.get(&path).await;
    let answer = browser
        .submit(&page, &format!("{path}/pin"), &[("quote", &quote.to_string())])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    // The token of one user is not that of another.
    let other = console.browser().sending("x-forwarded-user", "bob@broker.example");
    assert_eq!(other.submit(&page, &format!("{path}/unpin"), &[]).await.status, 403);
    let rows: Vec<(String, Value)> = sqlx::query_as("SELECT actor, details FROM avinode_ingest.audit")
        .fetch_all(&console.db.pool)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].0, "user:alice@broker.example");
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_of_any_other_client_is_not_believed() {
    let console = ConsoleService::with(Db::new().await, with_header(&["10.0.0.0/8"], ApiScope::Admin)).await;
    let stranger = console.browser().sending("x-forwarded-user", "alice");
    assert_eq!(stranger.get("/console").await.status, 303);
    // A token still signs in.
    let mut browser = stranger.clone();
    assert_eq!(browser.sign_in(READ).await.status, 303);
    browser.get("/console").await.assert_has("staff");
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_no_header_names_a_user() {
    let mut settings = with_header(&["127.0.0.0/8"], ApiScope::Admin);
    settings.console_user = None;
    let console = ConsoleService::with(Db::new().await, settings).await;
    let stranger = console.browser().sending("x-forwarded-user", "alice");
    assert_eq!(stranger.get("/console").await.status, 303);
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_a_blank_and_a_repeated_name_are_no_user() {
    let console = ConsoleService::with(Db::new().await, with_header(&["127.0.0.0/8"], ApiScope::Read)).await;
    for browser in [
        console.browser(),
        console.browser().sending("x-forwarded-user", " "),
        console
            .browser()
            .sending("x-forwarded-user", "alice")
            .sending("x-forwarded-user", "root"),
    ] {
        assert_eq!(browser.get("/console").await.status, 303);
    }
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_with_tls_the_cookie_is_secure() {
    let console = ConsoleService::with(Db::new().await, with_header(&["127.0.0.0/8"], ApiScope::Read)).await;
    let mut browser = console.browser().sending("x-forwarded-proto", "https");
    let answer = browser.sign_in(READ).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    console.service.stop().await;
}
