use super::*;

const BOTH: [AlertChannel; 2] = [AlertChannel::Webhook, AlertChannel::Email];

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn with_one() -> (AlertOutbox, Uuid) {
    let mut outbox = AlertOutbox::default();
    outbox.add(AlertKind::JobOverdue, "a text".to_owned(), at(0), &BOTH);
    let id = outbox.alerts()[0].id;
    (outbox, id)
}

#[test]
fn an_alert_stays_until_each_channel_has_sent_it() {
    let (mut outbox, id) = with_one();
    assert_eq!(outbox.due(at(0)).len(), 2);
    outbox.sent(id, AlertChannel::Webhook);
    let left: Vec<AlertChannel> = outbox.due(at(0)).into_iter().map(|(channel, _)| channel).collect();
    assert_eq!(left, [AlertChannel::Email]);
    outbox.sent(id, AlertChannel::Email);
    assert_eq!(outbox, AlertOutbox::default());
}

#[test]
fn a_failed_channel_waits_longer_each_time_and_is_given_up_after_a_day() {
    let (mut outbox, id) = with_one();
    let mut longest = Duration::ZERO;
    for _ in 0..40 {
        let AfterFailure::RetryIn(delay) = outbox.failed(id, AlertChannel::Webhook, at(60)) else {
            panic!("given up");
        };
        longest = longest.max(delay);
        assert!(delay <= RETRY.max);
    }
    assert!(longest > Duration::from_secs(60), "{longest:?}");
    let after_a_day = outbox.failed(id, AlertChannel::Webhook, at(24 * 3600 + 1));
    assert_eq!(after_a_day, AfterFailure::GivenUp);
    assert_eq!(outbox.alerts()[0].attempts.len(), 1);
}

#[test]
fn a_channel_that_is_no_longer_configured_holds_nothing_up() {
    let (mut outbox, id) = with_one();
    outbox.sent(id, AlertChannel::Webhook);
    outbox.keep_channels(&[AlertChannel::Webhook]);
    assert_eq!(outbox, AlertOutbox::default());
}

#[test]
fn an_alert_is_added_once() {
    let (mut outbox, _) = with_one();
    outbox.add_all(outbox.clone());
    outbox.add_all(with_one().0);
    assert_eq!(outbox.alerts().len(), 2);
}
