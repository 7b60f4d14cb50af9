use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

#[test]
fn a_sample_is_bounded_and_has_digests_only() {
    let sample = RejectionSample::default();
    let body = Bytes::from(r#"{"quote":{"id":"aquote-7"},"seller":"A. Person"}"#);
    for _ in 0..3 {
        sample.offer(&Rejection::of_body("invalid signature", &body), at(0));
    }
    let taken = sample.take();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].times, taken[0].length), (3, Some(body.len())));
    assert_eq!(taken[0].digest, <[u8; 32]>::from(Sha256::digest(&body)));
    assert!(!format!("{taken:?}").contains("aquote"));

    for number in 0..10_000 {
        let body = Bytes::from(format!("aquote-{number}"));
        sample.offer(&Rejection::of_body("invalid signature", &body), at(number));
    }
    assert_eq!(sample.take().len(), MAX_REQUESTS);
    assert_eq!(sample.take(), []);
}

#[test]
fn of_requests_whose_bodies_are_not_read_there_is_one_for_each_reason_and_hour() {
    let sample = RejectionSample::default();
    for (reason, seconds) in [("a", 0), ("a", 10), ("b", 0), ("a", 3600)] {
        let unread = Rejection {
            reason,
            length: 0,
            body: None,
        };
        sample.offer(&unread, at(seconds));
    }
    let times: Vec<i64> = sample.take().iter().map(|one| one.times).collect();
    assert_eq!(times, [2, 1, 1]);
}
