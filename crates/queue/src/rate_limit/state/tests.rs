mod refusals;

use super::*;
use crate::rate_limit::breaker::CircuitBreaker;
use crate::rate_limit::token_bucket::RateLimit;

const CREDENTIALS: &str = "a digest";

fn seconds(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

fn with_limit(per_second: f64, burst: u32) -> LimiterState {
    let bucket = TokenBucket::full(RateLimit { per_second, burst }, seconds(0));
    LimiterState::new(bucket, CREDENTIALS.to_owned(), CallRestrictions::default())
}

/// Wide enough that the bucket is never the limit.
fn state() -> LimiterState {
    with_limit(100.0, 100)
}

fn tokens(state: &mut LimiterState, now: DateTime<Utc>) -> u32 {
    match state.available(now) {
        Availability::Tokens(tokens) => tokens,
        Availability::After(_) => 0,
    }
}

fn report(state: &mut LimiterState, outcome: &CallOutcome, now: DateTime<Utc>) -> ReportResult {
    report_quota(state, outcome, RemainingQuota::default(), now)
}

/// Ends a call that began just now.
fn report_quota(
    state: &mut LimiterState,
    outcome: &CallOutcome,
    quota: RemainingQuota,
    now: DateTime<Utc>,
) -> ReportResult {
    let call = state.bucket.begin(now);
    state.report(call, outcome, quota, now)
}

fn fail(state: &mut LimiterState, key: &str, now: DateTime<Utc>) -> Option<LimiterEvent> {
    report(state, &CallOutcome::Failure { key: key.to_owned() }, now).event
}

fn succeed(state: &mut LimiterState, now: DateTime<Utc>) -> Option<LimiterEvent> {
    report(state, &CallOutcome::Success, now).event
}

fn refused(key: &str, retried: bool) -> CallOutcome {
    CallOutcome::Unauthorized {
        key: key.to_owned(),
        reason: "401".to_owned(),
        retried,
    }
}

/// Acquires a permit and begins its call.
fn begin(state: &mut LimiterState, now: DateTime<Utc>) -> BegunCall {
    state.take(1);
    state.begin(now)
}

/// Calls for five keys failed.
fn open_breaker(state: &mut LimiterState, now: DateTime<Utc>) {
    for key in ["a", "b", "c", "d", "e"] {
        fail(state, key, now);
    }
    assert!(state.restrictions.breaker.open_until.is_some());
}

fn opened(seconds: u64) -> Option<LimiterEvent> {
    Some(LimiterEvent::BreakerOpened(Duration::from_secs(seconds)))
}

#[test]
fn the_breaker_opens_after_five_failures_in_a_row_and_lets_one_call_through_at_a_time() {
    let mut state = state();
    for key in ["a", "b", "c", "d"] {
        assert_eq!(fail(&mut state, key, seconds(0)), None);
    }
    assert!(tokens(&mut state, seconds(0)) > 1);
    assert_eq!(fail(&mut state, "e", seconds(0)), opened(5));
    assert_eq!(
        fail(&mut state, "f", seconds(0)),
        None,
        "calls in flight are no new evidence"
    );
    assert_eq!(state.available(seconds(0)), Availability::After(Duration::from_secs(2)));
    assert_eq!(state.blocked_until(false, seconds(0)), Some(seconds(5)));
    assert_eq!(tokens(&mut state, seconds(2)), 1);
    assert!(state.untried_only(seconds(2)), "for a key that has not failed");
    assert_eq!(state.blocked_until(true, seconds(2)), None);

    assert_eq!(tokens(&mut state, seconds(5)), 1, "a probe");
    assert!(!state.untried_only(seconds(5)));
    begin(&mut state, seconds(5));
    assert_eq!(tokens(&mut state, seconds(6)), 0, "and no other beside it");
    assert_eq!(fail(&mut state, "a", seconds(6)), opened(10));
    assert_eq!(state.restrictions.breaker.failed, ["b", "c", "d", "e", "f", "a"]);
    assert!(state.untried_only(seconds(15)));
    begin(&mut state, seconds(16));
    assert_eq!(succeed(&mut state, seconds(17)), Some(LimiterEvent::BreakerClosed));
    assert!(tokens(&mut state, seconds(17)) > 1);
    assert_eq!(state.restrictions.breaker, CircuitBreaker::default());
}

#[test]
fn one_key_that_fails_again_and_again_does_not_open_the_breaker() {
    let mut state = state();
    for second in 0..50 {
        assert_eq!(fail(&mut state, "a", seconds(second)), None);
    }
    assert_eq!(state.restrictions.breaker.failed, ["a"]);
    assert!(tokens(&mut state, seconds(50)) > 1);
    // Failures of others show that the server is down.
    for key in ["b", "a", "c", "a", "d", "b"] {
        assert_eq!(fail(&mut state, key, seconds(50)), None);
    }
    assert_eq!(fail(&mut state, "e", seconds(50)), opened(5));
}

#[test]
fn a_key_that_was_not_tried_before_and_fails_leaves_the_breaker_as_it_is() {
    let mut state = state();
    open_breaker(&mut state, seconds(0));
    let until = state.restrictions.breaker.open_until;
    begin(&mut state, seconds(2));
    assert_eq!(fail(&mut state, "f", seconds(3)), None);
    assert_eq!(state.restrictions.breaker.open_until, until);
    assert_eq!(
        tokens(&mut state, seconds(3)),
        0,
        "the next one two seconds after the last"
    );
    assert_eq!(tokens(&mut state, seconds(4)), 1);
    begin(&mut state, seconds(4));
    assert_eq!(succeed(&mut state, seconds(4)), Some(LimiterEvent::BreakerClosed));
}

#[test]
fn a_probe_that_was_not_made_or_was_cancelled_is_made_again() {
    let mut state = state();
    open_breaker(&mut state, seconds(0));
    state.take(1);
    assert!(state.untried_only(seconds(6)));
    state.put_back();
    assert!(!state.untried_only(seconds(6)));
    let call = begin(&mut state, seconds(6));
    assert_eq!(tokens(&mut state, seconds(7)), 0);
    state.finish(call, seconds(7));
    assert_eq!(tokens(&mut state, seconds(7)), 1);
    assert!(!state.untried_only(seconds(7)));
}

#[test]
fn a_success_in_between_ends_a_row_of_failures() {
    let mut state = state();
    for _ in 0..20 {
        for key in ["a", "b", "c", "d"] {
            fail(&mut state, key, seconds(0));
        }
        assert_eq!(succeed(&mut state, seconds(0)), None);
    }
    assert!(tokens(&mut state, seconds(2)) > 1);
}

#[test]
fn rejected_credentials_suspend_keys_that_failed_but_for_a_slow_probe() {
    let mut state = state();
    let reject = |state: &mut LimiterState, now| {
        let result = report(state, &refused("a", false), now);
        (result.event, result.refusal)
    };
    let all = Some(RefusalScope::Credentials);
    let suspended = LimiterEvent::Suspended {
        reason: "401".to_owned(),
        pause: Duration::from_secs(30),
    };
    assert_eq!(reject(&mut state, seconds(0)), (Some(suspended), all));
    assert_eq!(reject(&mut state, seconds(0)), (None, all), "logged once");
    assert_eq!(state.blocked_until(false, seconds(0)), Some(seconds(30)));
    assert!(state.untried_only(seconds(10)));
    // No other key has a job.
    state.nothing_untried(seconds(10));
    assert_eq!(
        state.restrictions.suspended_for(seconds(10)),
        Some(Duration::from_secs(2))
    );
    assert_eq!(
        state.available(seconds(10)),
        Availability::After(Duration::from_secs(2))
    );
    assert_eq!(state.restrictions.suspended_for(seconds(12)), None);

    assert!(!state.untried_only(seconds(30)));
    assert_eq!(tokens(&mut state, seconds(30)), 1, "a probe");
    state.take(1);
    assert_eq!(reject(&mut state, seconds(31)), (None, all));
    assert_eq!(state.blocked_until(false, seconds(31)), Some(seconds(91)));
    state.take(1);
    assert_eq!(succeed(&mut state, seconds(92)), Some(LimiterEvent::Resumed));
    assert!(tokens(&mut state, seconds(92)) > 1);
    // A refusal from here on may concern only its resource.
    assert_eq!(reject(&mut state, seconds(93)), (None, Some(RefusalScope::Key)));
    assert!(tokens(&mut state, seconds(93)) > 1);
}

#[test]
fn a_new_leader_takes_over_pauses_and_the_suspension_of_its_own_credentials() {
    let mut before = state();
    let limited = CallOutcome::RateLimited {
        retry_after: Some(Duration::from_secs(600)),
    };
    report(&mut before, &limited, seconds(0));
    report(&mut before, &refused("a", false), seconds(0));
    // As the lease row keeps it.
    let published = serde_json::to_value(&before.restrictions).unwrap();
    let taken_over = |credentials: &str| {
        let restrictions: CallRestrictions = serde_json::from_value(published.clone()).unwrap();
        let limit = RateLimit {
            per_second: 100.0,
            burst: 100,
        };
        LimiterState::new(
            TokenBucket::full(limit, seconds(1)),
            credentials.to_owned(),
            restrictions,
        )
    };
    assert_eq!(taken_over(CREDENTIALS).restrictions, before.restrictions);
    let mut other = taken_over("other credentials");
    assert_eq!(other.restrictions.suspension, None);
    assert_eq!(
        other.available(seconds(1)),
        Availability::After(Duration::from_secs(599)),
        "the pause concerns everyone"
    );
}

#[test]
fn the_servers_own_quota_pauses_or_slows_calls() {
    let quota = |remaining, reset| RemainingQuota {
        limit: Some(100),
        remaining: Some(remaining),
        reset: Some(Duration::from_secs(reset)),
    };
    let mut state = with_limit(1.0, 10);
    report_quota(&mut state, &CallOutcome::Success, quota(50, 10), seconds(0));
    assert_eq!(tokens(&mut state, seconds(1)), 10);
    report_quota(&mut state, &CallOutcome::Success, quota(10, 20), seconds(1));
    assert_eq!(tokens(&mut state, seconds(2)), 5, "a call costs double");
    assert_eq!(
        tokens(&mut state, seconds(22)),
        10,
        "until the server's window begins again"
    );
    report_quota(&mut state, &CallOutcome::Success, quota(0, 7), seconds(30));
    assert_eq!(
        state.available(seconds(30)),
        Availability::After(Duration::from_secs(7))
    );
    let limited = CallOutcome::RateLimited {
        retry_after: Some(Duration::from_secs(9)),
    };
    assert_eq!(
        report(&mut state, &limited, seconds(30)).event,
        None,
        "a pause was known"
    );
    assert_eq!(
        state.available(seconds(30)),
        Availability::After(Duration::from_secs(9))
    );
    let limited = CallOutcome::RateLimited { retry_after: None };
    let paused = LimiterEvent::Paused(Duration::from_secs(30));
    assert_eq!(report(&mut state, &limited, seconds(60)).event, Some(paused));
}
