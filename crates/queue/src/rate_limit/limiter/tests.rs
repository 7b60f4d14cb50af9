use std::sync::atomic::AtomicI64;

use super::*;

/// A limiter with ten tokens, and its clock in seconds.
fn limiter() -> (Arc<RateLimiter>, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(1_780_000_000));
    let clock = seconds.clone();
    let limit = RateLimit {
        per_second: 1.0,
        burst: 10,
    };
    let now = move || DateTime::from_timestamp(clock.load(Ordering::SeqCst), 0).unwrap();
    (RateLimiter::new(limit, "credentials".to_owned(), now), seconds)
}

/// The permits of one claim are acquired together, and isolated batches use them one after the other.
#[test]
fn a_permit_that_was_acquired_before_a_pause_starts_no_call_during_it() {
    let outcomes = [
        CallOutcome::RateLimited {
            retry_after: Some(Duration::from_secs(6)),
        },
        CallOutcome::Unauthorized {
            key: "a".to_owned(),
            reason: "401".to_owned(),
            retried: false,
        },
    ];
    for outcome in outcomes {
        let (limiter, seconds) = limiter();
        let permits = limiter.try_acquire(3).unwrap().permits;
        let call = permits[0].start().unwrap();
        call.report(&outcome, RemainingQuota::default());
        assert!(permits[1].start().is_none(), "{outcome:?}");
        seconds.fetch_add(31, Ordering::SeqCst);
        assert!(permits[2].start().is_some(), "{outcome:?}");
    }
}

#[test]
fn failures_that_open_the_breaker_stop_the_permits_that_were_acquired_before() {
    let (limiter, _) = limiter();
    let permits = limiter.try_acquire(8).unwrap().permits;
    for (key, permit) in permits[..5].iter().enumerate() {
        let key = key.to_string();
        permit
            .start()
            .unwrap()
            .report(&CallOutcome::Failure { key }, RemainingQuota::default());
    }
    assert!(permits[5].start().is_none());
}

#[test]
fn while_the_breaker_is_open_a_key_that_has_not_failed_is_tried_every_two_seconds() {
    let (limiter, seconds) = limiter();
    let permits = limiter.try_acquire(8).unwrap().permits;
    for (key, permit) in permits[..5].iter().enumerate() {
        let key = key.to_string();
        let call = permit.start().unwrap();
        call.report(&CallOutcome::Failure { key }, RemainingQuota::default());
    }
    drop(permits);
    assert_eq!(limiter.try_acquire(8).err(), Some(Duration::from_secs(2)));
    seconds.fetch_add(2, Ordering::SeqCst);
    for _ in 0..3 {
        let acquired = limiter.try_acquire(8).unwrap();
        assert_eq!((acquired.permits.len(), acquired.untried_only), (1, true));
        assert_eq!(
            acquired.failed,
            ["0", "1", "2", "3", "4"],
            "unused, it is acquired again"
        );
    }
    // A slow call holds up the next one for as long as a quick one.
    let slow = limiter.try_acquire(8).unwrap().permits;
    let call = slow[0].start().unwrap();
    assert_eq!(limiter.try_acquire(8).err(), Some(Duration::from_secs(2)));
    seconds.fetch_add(2, Ordering::SeqCst);
    let second = limiter.try_acquire(8).unwrap().permits;
    let answered = second[0].start().unwrap();
    answered.report(&CallOutcome::Success, RemainingQuota::default());
    let acquired = limiter.try_acquire(3).unwrap();
    assert_eq!((acquired.permits.len(), acquired.untried_only), (3, false), "closed");
    drop(call);
}

#[test]
fn of_suspended_credentials_untried_keys_are_tried_until_there_is_none_and_again_two_seconds_later() {
    let (limiter, seconds) = limiter();
    let refused = |key: &str| CallOutcome::Unauthorized {
        key: key.to_owned(),
        reason: "401".to_owned(),
        retried: false,
    };
    for key in ["a", "b"] {
        let acquired = limiter.try_acquire(1).unwrap();
        assert_eq!(
            (acquired.untried_only, acquired.failed.len()),
            (key == "b", usize::from(key == "b"))
        );
        let call = acquired.permits[0].start().unwrap();
        call.report(&refused(key), RemainingQuota::default());
        assert_eq!(limiter.suspended_for(), None);
    }
    limiter.nothing_untried();
    assert_eq!(limiter.suspended_for(), Some(Duration::from_secs(2)));
    seconds.fetch_add(2, Ordering::SeqCst);
    let acquired = limiter.try_acquire(1).unwrap();
    let call = acquired.permits[0].start().unwrap();
    call.report(&CallOutcome::Success, RemainingQuota::default());
    assert!(!limiter.try_acquire(1).unwrap().untried_only);
}
