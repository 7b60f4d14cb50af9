//! Every response of the console forbids scripts and styles of others, frames and storing.

use avinode_ingest::http::console::security_headers::POLICY;
use reqwest::Method;
use uuid::Uuid;

use super::{ConsoleService, READ, WebPage};

#[track_caller]
fn assert_headers(page: &WebPage, what: &str) {
    let header = |name: &str| page.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-security-policy").as_deref(), Some(POLICY), "{what}");
    assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{what}");
    assert_eq!(header("referrer-policy").as_deref(), Some("same-origin"), "{what}");
    assert_eq!(header("x-frame-options").as_deref(), Some("DENY"), "{what}");
    let is_asset = what.contains("/assets/") && page.status == 200;
    let caching = header("cache-control").unwrap();
    assert_eq!(caching == "no-store", !is_asset, "{what}: {caching}");
}

/// The files that a page loads.
fn files(page: &WebPage) -> Vec<String> {
    let of = |attribute: &str| {
        let begin = format!(r#"{attribute}=""#);
        let parts = page.body.split(&begin).skip(1);
        let values = parts.map(|rest| rest.split('"').next().unwrap().to_owned());
        values.collect::<Vec<_>>()
    };
    let mut files = of("src");
    files.extend(of("href").into_iter().filter(|path| path.contains("/assets/")));
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_has_the_content_security_policy_and_is_not_stored() {
    let console = ConsoleService::start().await;
    let (visitor, stranger) = (console.signed_in(READ).await, console.browser());
    let page = visitor.get("/console").await;
    let files = files(&page);
    assert_eq!(files.len(), 5, "{files:?}");
    let other = [
        "/console",
        "/console/",
        "/console?q=x",
        "/console?status=wrong",
        "/console/sign-in",
        "/console/nothing",
        "/console/assets/0/console.css",
    ];
    let session = format!("/console/sessions/{}", Uuid::from_u128(7));
    let paths = other
        .iter()
        .map(|path| (*path).to_owned())
        .chain([session.clone()])
        .chain(files);
    for path in paths {
        assert_headers(&visitor.get(&path).await, &path);
        assert_headers(&stranger.get(&path).await, &path);
    }
    for (method, path) in [
        (Method::POST, "/console".to_owned()),
        (Method::DELETE, session.clone()),
        (Method::POST, format!("{session}/unpin")),
        (Method::POST, "/console/sign-in".to_owned()),
    ] {
        assert_headers(&visitor.send(method.clone(), &path, Some(String::new())).await, &path);
        assert_headers(&stranger.send(method, &path, None).await, &path);
    }
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_no_inline_script_or_style_and_load_nothing_from_elsewhere() {
    let console = ConsoleService::start().await;
    let visitor = console.signed_in(READ).await;
    for path in ["/console", "/console?q=x", "/console/nothing"] {
        let page = visitor.get(path).await;
        for forbidden in [
            "<style",
            "style=",
            "onclick",
            "onload",
            "javascript:",
            "http://",
            "https://",
        ] {
            page.assert_lacks(forbidden);
        }
        assert_eq!(page.body.matches("<script src=\"/console/assets/").count(), 3);
        assert_eq!(page.body.matches("<script").count(), 3);
        for path in files(&page) {
            assert_eq!(visitor.get(&path).await.status, 200, "{path}");
        }
    }
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_listener_has_no_console() {
    let console = ConsoleService::start().await;
    let mut elsewhere = console.signed_in(READ).await;
    elsewhere.base.clone_from(&console.service.base);
    for path in ["/console", "/console/sign-in", "/console/events"] {
        assert_eq!(elsewhere.get(path).await.status, 404, "{path}");
    }
    console.service.stop().await;
}
