use super::*;

#[test]
fn a_target_that_avinode_cannot_reach_or_that_is_not_encrypted_is_refused() {
    let check = |target: &str, loopback| check(&Url::parse(target).unwrap(), loopback);
    assert!(check("https://hooks.example.com/webhooks/avinode", false).is_ok());
    for target in [
        "http://hooks.example.com/webhooks/avinode",
        "https://user@hooks.example.com/webhooks/avinode",
        "https://user:hush@hooks.example.com/webhooks/avinode",
        "https://hooks.example.com/webhooks/avinode?a=b",
        "https://hooks.example.com/webhooks/avinode#a",
        "https://localhost/webhooks/avinode",
        "http://127.0.0.1:8080/webhooks/avinode",
    ] {
        let error = check(target, false).unwrap_err().to_string();
        assert!(error.contains("--target") && !error.contains("hush"), "{error}");
    }
    assert!(check("http://127.0.0.1:8080/webhooks/avinode", true).is_ok());
    assert!(
        check("http://hooks.example.com/webhooks/avinode", true).is_err(),
        "of this machine only"
    );
}
