use super::*;
use crate::job_kind::JobKind;

fn job(attempts: i32) -> ClaimedJob {
    ClaimedJob {
        id: 7,
        kind: JobKind::FullEvent,
        token: 1,
        key: None,
        delivery_id: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
        claimed_at: chrono::DateTime::UNIX_EPOCH,
        attempts,
        crashes: 0,
        isolated: false,
        suspected: false,
    }
}

fn rescheduled(attempts: i32, error: &JobError) -> (Duration, bool, Option<String>) {
    match disposition(&job(attempts), error, &RetryPolicy::default()) {
        JobDisposition::Reschedule(back) => (back.delay, back.counts_attempt, back.note),
        JobDisposition::DeadLetter(reason) => panic!("dead-lettered: {reason}"),
    }
}

#[test]
fn each_way_to_fail_has_its_disposition() {
    let policy = RetryPolicy::default();
    let (delay, counts, note) = rescheduled(1, &JobError::retry("no answer"));
    assert!(delay <= policy.base && counts);
    assert!(note.unwrap().contains("no answer"));

    let snooze = JobError::snooze("its RFQ comes first", Duration::from_secs(9));
    let (delay, counts, note) = rescheduled(policy.max_attempts, &snooze);
    assert_eq!(
        (delay, counts),
        (Duration::from_secs(9), false),
        "a snooze costs no attempt"
    );
    assert!(note.unwrap().contains("its RFQ comes first"));

    let (delay, counts, note) = rescheduled(policy.max_attempts, &JobError::Contention("55P03".to_owned()));
    assert!(delay < Duration::from_millis(60) && !counts);
    assert_eq!(note, None, "contention is no failure");
}

#[test]
fn a_job_is_dead_lettered_by_a_fatal_error_or_after_its_last_attempt() {
    let policy = RetryPolicy::default();
    let dead_letter = |attempts, error: &JobError| match disposition(&job(attempts), error, &policy) {
        JobDisposition::DeadLetter(reason) => Some(reason),
        JobDisposition::Reschedule(_) => None,
    };
    assert_eq!(
        dead_letter(1, &JobError::fail("not understood")).unwrap(),
        "not understood"
    );
    let retry = JobError::retry("no answer");
    assert_eq!(dead_letter(policy.max_attempts - 1, &retry), None);
    assert_eq!(
        dead_letter(policy.max_attempts, &retry).unwrap(),
        format!("gave up after {} attempts: no answer", policy.max_attempts)
    );
}
