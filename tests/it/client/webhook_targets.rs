//! The targets that `webhooks create` accepts, and lists that cannot be read.

use serde_json::json;
use tokio::net::TcpListener;

use super::webhooks::{FakeAvinode, webhooks};
use crate::crash::program::Serve;
use crate::support::cluster::Db;
use crate::support::recorder::{Recorder, answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_created_only_for_a_target_at_which_this_service_answers() {
    let (avinode, base) = FakeAvinode::start(Vec::new()).await;
    let db = Db::new().await;
    let url = db.url();
    let basic = ("AVINODE_WEBHOOK_BASIC", "avinode:hush");
    let service = Serve::start(&[("DATABASE_URL", url.as_str()), ("INGEST_ROLE", "receive"), basic]).await;
    let other = Recorder::answering(answer("405 Method Not Allowed", &[], b"{}")).await;
    let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = &service.address;
    for (target, code, why) in [
        (format!("http://{address}/webhooks/avinode/"), 1, "no such path"),
        (format!("http://{address}"), 1, "no such path"),
        (format!("http://{address}/Webhooks/avinode"), 1, "no such path"),
        (format!("http://{address}/readyz"), 1, "method-not-allowed"),
        (format!("http://u:p@{address}/webhooks/avinode"), 64, "user name"),
        (other.base(), 1, "405"),
        (format!("http://{nowhere}/webhooks/avinode"), 69, "does not answer"),
        ("http://hooks.example.com/webhooks/avinode".to_owned(), 64, "not https"),
    ] {
        let run = webhooks(&base, &["create", "--target", &target], &[basic]).await;
        assert_eq!(run.code, Some(code), "{target}: {}", run.all());
        assert!(run.all().contains(why), "{target}: {}", run.all());
    }
    assert_eq!(avinode.settings.lock().unwrap().len(), 0);
    let target = format!("http://{address}/webhooks/avinode");
    let run = webhooks(&base, &["create", "--target", &target], &[basic]).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    assert!(run.all().contains("AVINODE_INSECURE_LOOPBACK is set"), "{}", run.all());
    let run = webhooks(&base, &["update", "whs-2", "--target", &format!("{target}/")], &[basic]).await;
    assert_eq!(run.code, Some(1), "{}", run.all());
    // The posts to other paths are in the service's log, without their paths.
    let said = service.program.said();
    assert!(
        said.contains("differs from the webhook's in case or in a slash"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_read_is_an_error() {
    for odd in [
        json!([{"displayName": "without an id"}]),
        json!({"settings": []}),
        json!(["whs-1"]),
    ] {
        let body = json!({"data": odd, "meta": {"errors": []}}).to_string();
        let server = Recorder::answering(answer("200 OK", &[], body.as_bytes())).await;
        let run = webhooks(&server.base(), &["list"], &[]).await;
        assert_eq!(run.code, Some(1), "{odd}: {}", run.all());
        assert!(run.all().contains("not a list of settings"), "{}", run.all());
    }
}
