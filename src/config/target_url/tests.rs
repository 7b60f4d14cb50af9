use super::*;
use crate::config::parse::defaults;

fn target(url: Option<&str>, listen: &str) -> String {
    TargetArgs {
        url: url.map(|url| url.parse().unwrap()),
        listen: listen.parse().unwrap(),
        paths: defaults(),
    }
    .url()
}

#[test]
fn without_a_url_the_target_is_the_local_service_at_a_reachable_address() {
    assert_eq!(target(None, "127.0.0.1:8080"), "http://127.0.0.1:8080/webhooks/avinode");
    assert_eq!(target(None, "0.0.0.0:9000"), "http://127.0.0.1:9000/webhooks/avinode");
    assert_eq!(target(None, "[::]:9000"), "http://[::1]:9000/webhooks/avinode");
}

#[test]
fn a_url_without_a_path_gets_the_path_of_the_endpoint() {
    assert_eq!(
        target(Some("https://a.example"), "0.0.0.0:1"),
        "https://a.example/webhooks/avinode"
    );
    assert_eq!(
        target(Some("https://a.example/hook?x=1"), "0.0.0.0:1"),
        "https://a.example/hook?x=1"
    );
}
