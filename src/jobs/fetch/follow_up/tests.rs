use super::*;

const SETTLE: Duration = Duration::from_secs(3);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

fn notified(seconds: &[i64]) -> Vec<ClaimedJob> {
    let job = |seconds: &i64| ClaimedJob {
        id: 1,
        kind: JobKind::FetchNotified,
        token: 1,
        key: None,
        delivery_id: None,
        created_at: at(*seconds),
        attempts: 1,
        crashes: 0,
        isolated: false,
    };
    seconds.iter().map(job).collect()
}

#[test]
fn a_resource_is_left_alone_until_its_notifications_are_over_and_not_for_ever() {
    let wait = |fetched: Option<i64>, jobs: &[i64], now| {
        let wait = leave_alone(fetched.map(at), &notified(jobs), at(now), SETTLE);
        wait.map(|wait| wait.as_secs())
    };
    assert_eq!(wait(None, &[0], 0), None, "never fetched");
    assert_eq!(wait(Some(0), &[60], 60), None, "it was quiet");
    assert_eq!(wait(Some(0), &[1, 2], 2), Some(3), "as long as it takes to settle");
    assert_eq!(wait(Some(0), &[1, 2], 5), None);
    assert_eq!(wait(Some(0), &[1, 4, 7, 8], 8), Some(1), "nine seconds at the most");
    assert_eq!(wait(Some(0), &[1, 4, 7, 9], 9), None);
    assert_eq!(wait(Some(0), &[], 1), None, "a look has its own time");
}

#[test]
fn a_document_is_doubtful_where_a_notification_had_just_come() {
    let doubtful = |same, jobs: &[i64], asked| is_doubtful(same, &notified(jobs), at(asked), SETTLE);
    assert!(doubtful(true, &[0], 1));
    assert!(!doubtful(true, &[0], 3), "it has settled");
    assert!(!doubtful(false, &[0], 1), "it shows the change");
    assert!(doubtful(false, &[0, 0], 1), "of one of two");
}
