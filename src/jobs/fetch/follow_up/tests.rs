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
        suspected: false,
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
fn a_document_is_too_early_within_the_api_lag_after_its_newest_notification() {
    let early = |jobs: &[ClaimedJob], asked| is_too_early(jobs, at(asked), API_LAG);
    assert!(early(&notified(&[0]), 1), "whatever it shows");
    assert!(early(&notified(&[-60, 0]), 2));
    assert!(!early(&notified(&[0]), 3), "the API lag is over");
    let of = |kind, seconds: &[i64]| {
        let mut jobs = notified(seconds);
        jobs.iter_mut().for_each(|job| job.kind = kind);
        jobs
    };
    assert!(early(&of(JobKind::FetchFollowUp, &[0]), 1), "caused a moment ago");
    assert!(!early(&of(JobKind::FetchFollowUp, &[0]), 4), "a second fetch");
    assert!(!early(&of(JobKind::Reconcile, &[0]), 0), "no notification caused it");
    let both = [notified(&[0]), of(JobKind::FetchFollowUp, &[1])].concat();
    assert!(!early(&both, 3), "a second fetch that came along");
}
