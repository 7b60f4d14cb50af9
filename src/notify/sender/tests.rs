use super::*;
use crate::avinode::signature::secrets::WebhookSecret;
use crate::avinode::signature::signer::Signer;
use crate::avinode::signature::verifier::Verifier;

const OLD: &str = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZA==";
const NEW: &str = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldw==";

fn sender(secrets: &[&str]) -> NotifySender {
    let signer = |secret: &&str| Signer::with_secret(WebhookSecret::parse(secret).unwrap());
    let url = "http://127.0.0.1:9/hook?key=a-secret-of-the-url".parse().unwrap();
    let target = NotifyTarget::new(url, secrets.iter().map(signer).collect());
    NotifySender::new(Arc::new(target)).unwrap()
}

#[test]
fn a_receiver_with_either_of_two_secrets_accepts_the_signature() {
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let headers = sender(&[OLD, NEW]).headers("msg_1", b"{}", now);
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name, value.parse().unwrap());
    }
    for secret in [OLD, NEW] {
        let verifier = Verifier::from_settings(Some(secret), None).unwrap();
        assert!(verifier.verify(&map, b"{}", now).is_ok(), "{secret}");
        assert!(verifier.verify(&map, b"{ }", now).is_err(), "{secret}");
    }
}

#[test]
fn only_whole_seconds_of_retry_after_count_within_bounds() {
    let after = |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
    assert_eq!(after("7"), Some(Duration::from_secs(7)));
    assert_eq!(after("0"), Some(Duration::from_secs(1)));
    assert_eq!(after("999999"), Some(Duration::from_secs(3600)));
    assert_eq!(after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
}

#[tokio::test]
async fn no_error_and_no_debug_output_has_the_url() {
    let sender = sender(&[NEW]);
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let error = sender.send("msg_1", b"{}".to_vec(), now).await.unwrap_err();
    let texts = format!("{error} {error:?} {:?}", sender.target);
    assert!(!texts.contains("a-secret") && !texts.contains("whsec"), "{texts}");
}
