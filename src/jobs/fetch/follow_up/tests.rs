use super::*;

const API_LAG: Duration = Duration::from_secs(3);

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
        claimed_at: at(*seconds),
        attempts: 1,
        crashes: 0,
        isolated: false,
    };
    seconds.iter().map(job).collect()
}

#[test]
fn a_resource_is_not_fetched_again_until_its_notifications_are_over_and_not_for_ever() {
    let wait = |fetched: Option<i64>, jobs: &[i64], now| {
        let wait = debounce(fetched.map(at), &notified(jobs), at(now), API_LAG);
        wait.map(|wait| wait.as_secs())
    };
    assert_eq!(wait(None, &[0], 0), None, "never fetched");
    assert_eq!(wait(Some(0), &[60], 60), None, "it was quiet");
    assert_eq!(wait(Some(0), &[1, 2], 2), Some(3), "for the API lag");
    assert_eq!(wait(Some(0), &[1, 2], 5), None);
    assert_eq!(wait(Some(0), &[1, 4, 7, 8], 8), Some(1), "nine seconds at the most");
    assert_eq!(wait(Some(0), &[1, 4, 7, 9], 9), None);
    assert_eq!(wait(Some(0), &[], 1), None, "a second fetch has its own time");
}

#[test]
fn a_document_may_be_stale_if_a_notification_had_just_come() {
    let stale = |same, jobs: &[i64], asked| may_be_stale(same, &notified(jobs), at(asked), API_LAG);
    assert!(stale(true, &[0], 1));
    assert!(!stale(true, &[0], 3), "the API lag is over");
    assert!(!stale(false, &[0], 1), "it shows the change");
    assert!(stale(false, &[0, 0], 1), "of one of two");
}
