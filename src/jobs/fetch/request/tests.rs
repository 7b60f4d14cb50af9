use super::*;

fn job(id: i64, kind: JobKind, delivery: Option<Uuid>) -> ClaimedJob {
    ClaimedJob {
        id,
        kind,
        token: 1,
        key: None,
        delivery_id: delivery,
        created_at: DateTime::UNIX_EPOCH,
        claimed_at: DateTime::UNIX_EPOCH,
        attempts: 1,
        crashes: 0,
        isolated: false,
        suspected: false,
    }
}

fn request(bodies: &[&str]) -> FetchRequest {
    let mut deliveries = HashMap::new();
    let mut jobs = Vec::new();
    for (body, n) in bodies.iter().zip(1..) {
        let id = Uuid::from_u128(n);
        let received_at = DateTime::from_timestamp(i64::try_from(n).unwrap(), 0).unwrap();
        deliveries.insert(
            id,
            StoredDelivery {
                id,
                received_at,
                body: body.as_bytes().to_vec(),
                is_redacted: false,
            },
        );
        jobs.push(job(i64::try_from(n).unwrap(), JobKind::FetchNotified, Some(id)));
    }
    jobs.push(job(99, JobKind::FetchFollowUp, None));
    FetchRequest::read("arfq-1", &jobs, &deliveries, |href, _| {
        (href == "good").then_some(()).ok_or_else(|| "bad".to_owned())
    })
}

#[test]
fn one_bad_notification_does_not_harm_the_others_of_its_key() {
    let request = request(&[
        r#"{"id":"arfq-1","href":"good","type":"rfqs","tripId":"A1B2C3"}"#,
        r#"{"id":"arfq-1","href":"evil","type":"rfqs"}"#,
        r#"{"id":"arfq-1","href":"good","type":"leads"}"#,
        r#"{"id":"arfq-1","href":"good","type":"spells"}"#,
        r#"{"id":"arfq-1","href":"good"}"#,
        r#"{"id":"arfq-1","href":"good","type":"quotes"}"#,
        r#"{"id":"odd-1","href":"good","type":"quotes"}"#,
    ]);
    assert_eq!(request.resource.unwrap().to_string(), "rfqs/arfq-1");
    let served: Vec<i64> = request.jobs.iter().map(|job| job.id).collect();
    assert_eq!(served, [1, 5, 99]);
    assert_eq!(request.received_at, DateTime::from_timestamp(5, 0));
    assert_eq!(request.trip.unwrap().as_str(), "A1B2C3");
    let nothing: Vec<i64> = request.outcomes.iter().map(|it| it.job).collect();
    assert_eq!(nothing, [3]);
    let reasons: Vec<String> = request.unfinished.iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(
        reasons,
        [
            "link not followed: bad",
            "unknown type of resource \"spells\"",
            "type quotes does not match the id of rfqs/arfq-1",
            "another resource of the same id is fetched first",
        ]
    );
}
