//! An id that only the bytes of a delivery name, of which an event about something else was read.

use avinode_ingest::service::ServiceSettings;
use serde_json::json;

use super::{TRIP, cause, deliver, post_signed_with, trace};
use crate::support::bodies::message;
use crate::support::cluster::Db;
use crate::support::service::RunningService;

const NAMED: &str = "aquote-777";

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_only_the_body_of_a_message_names() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let mut body = message("evt-1", TRIP, "asellermsg-7", 10);
    body["data"]["quote"] = json!({"id": NAMED});
    let delivery = deliver(&db, &service, &body).await;
    // A refused request is no reason: the delivery was received.
    let refused = message("evt-2", TRIP, "asellermsg-8", 20);
    assert_eq!(
        post_signed_with(&service, "the-secret-of-another-sender", &refused).await,
        401
    );

    let cause = cause(&db, NAMED).await;
    let expected = format!(
        "{NAMED}: named in the body of delivery {delivery} (message: event evt-1, trip {TRIP}), from which nothing about it was read: job "
    );
    assert!(cause.starts_with(&expected), "{cause}");
    let output = trace(&db, NAMED).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    assert!(
        output.stdout.contains(&format!("received   delivery {delivery}")),
        "{}",
        output.all()
    );

    // Not by a part of its id.
    let part = trace(&db, &NAMED[..NAMED.len() - 1]).await;
    assert_eq!(part.code, Some(1), "{}", part.all());
    assert!(
        part.stdout.contains("nothing that names it was received"),
        "{}",
        part.all()
    );
    service.stop().await;
}
