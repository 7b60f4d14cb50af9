use super::super::parse::defaults;
use super::*;

const KEY: &str = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldw==";

fn target(url: &str, secret: &str, allow_http: bool) -> Result<bool, String> {
    let args = EventArgs {
        notify_url: (!url.is_empty()).then(|| url.into()),
        notify_secret: (!secret.is_empty()).then(|| secret.into()),
        notify_allow_http: allow_http,
        ..defaults()
    };
    args.target()
        .map(|target| target.is_some())
        .map_err(|error| error.to_string())
}

#[test]
fn the_url_is_https_or_on_this_machine_unless_http_is_allowed() {
    assert_eq!(target("", "", false), Ok(false));
    for url in [
        "https://app.example/hook",
        "http://127.0.0.1:3000/hook",
        "http://[::1]/hook",
        "http://localhost/hook",
    ] {
        assert_eq!(target(url, KEY, false), Ok(true), "{url}");
    }
    let refused = target("http://app.internal/hook?key=hidden", KEY, false).unwrap_err();
    assert!(refused.contains("INGEST_NOTIFY_ALLOW_HTTP"), "{refused}");
    assert_eq!(target("http://app.internal/hook", KEY, true), Ok(true));
    for url in [
        "ftp://app.example/hook",
        "app.example",
        "https://user:pass@app.example/",
        "unix:/x",
    ] {
        let refused = target(url, KEY, true).unwrap_err();
        assert!(
            refused.starts_with(super::URL) && !refused.contains("pass@"),
            "{url}: {refused}"
        );
    }
}

#[test]
fn url_and_secret_are_set_together_and_the_secret_is_a_key_of_standard_webhooks() {
    for (url, secret, named) in [
        ("https://app.example/", "", SECRET),
        ("", KEY, super::URL),
        ("https://app.example/", "a-plain-secret-of-some-length", SECRET),
        ("https://app.example/", "whsec_c2hvcnQ=", "shorter than 24 bytes"),
        ("https://app.example/", &format!("{KEY},change-me"), "placeholder"),
    ] {
        let refused = target(url, secret, false).unwrap_err();
        assert!(
            refused.contains(named) && !refused.contains("bmV3"),
            "{url} {secret}: {refused}"
        );
    }
    assert_eq!(target("https://app.example/", &format!("{KEY} {KEY}"), false), Ok(true));
}
