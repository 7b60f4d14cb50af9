use super::*;
use crate::domain::job_kind::JobKind;

fn job(attempts: i32) -> ClaimedJob {
    ClaimedJob {
        id: 7,
        kind: JobKind::FullEvent,
        token: 1,
        key: None,
        delivery_id: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
        attempts,
        crashes: 0,
        isolated: false,
    }
}

fn back(attempts: i32, error: &JobError) -> (Duration, bool, Option<String>) {
    match remedy(&job(attempts), error, &RetryPolicy::default()) {
        JobDisposition::Reschedule(back) => (back.delay, back.counts, back.noted),
        JobDisposition::DeadLetter(reason) => panic!("buried: {reason}"),
    }
}

#[test]
fn each_way_to_fail_has_its_remedy() {
    let policy = RetryPolicy::default();
    let (delay, counts, noted) = back(1, &JobError::retry("no answer"));
    assert!(delay <= policy.base && counts);
    assert!(noted.unwrap().contains("no answer"));

    let wait = JobError::wait("its RFQ comes first", Duration::from_secs(9));
    let (delay, counts, noted) = back(policy.max_attempts, &wait);
    assert_eq!(
        (delay, counts),
        (Duration::from_secs(9), false),
        "waiting costs no attempt"
    );
    assert!(noted.unwrap().contains("its RFQ comes first"));

    let (delay, counts, noted) = back(policy.max_attempts, &JobError::Contention("55P03".to_owned()));
    assert!(delay < Duration::from_millis(60) && !counts);
    assert_eq!(noted, None, "locks are no failure");
}

#[test]
fn a_job_dies_by_its_own_fault_or_after_its_last_attempt() {
    let policy = RetryPolicy::default();
    let bury = |attempts, error: &JobError| match remedy(&job(attempts), error, &policy) {
        JobDisposition::DeadLetter(reason) => Some(reason),
        JobDisposition::Reschedule(_) => None,
    };
    assert_eq!(bury(1, &JobError::fail("not understood")).unwrap(), "not understood");
    let retry = JobError::retry("no answer");
    assert_eq!(bury(policy.max_attempts - 1, &retry), None);
    assert_eq!(
        bury(policy.max_attempts, &retry).unwrap(),
        format!("gave up after {} attempts: no answer", policy.max_attempts)
    );
}
