//! Refusals: those of one key are its own, and those of all keys are about the credentials.

use super::*;

#[test]
fn a_refused_key_is_blamed_only_after_others_were_answered_and_suspends_nothing() {
    let mut state = state();
    succeed(&mut state, seconds(0));
    let refuse = |state: &mut LimiterState, key, retried| report(state, &refused(key, retried), seconds(1)).refusal;
    assert_eq!(refuse(&mut state, "a", false), Some(RefusalScope::Key));
    for _ in 0..20 {
        assert_eq!(refuse(&mut state, "a", true), Some(RefusalScope::Unknown));
    }
    assert_eq!(refuse(&mut state, "b", false), Some(RefusalScope::Key));
    // Keys that were refused before say nothing about the credentials.
    for key in ["c", "d", "e"] {
        assert_eq!(refuse(&mut state, key, true), Some(RefusalScope::Key));
    }
    assert_eq!(state.restrictions.suspension, None);
    succeed(&mut state, seconds(2));
    assert_eq!(refuse(&mut state, "a", true), Some(RefusalScope::Key));
    assert_eq!(state.restrictions.suspension, None);
}

#[test]
fn three_keys_that_are_refused_the_first_time_suspend_credentials_that_were_accepted() {
    let mut state = state();
    succeed(&mut state, seconds(0));
    let refuse = |state: &mut LimiterState, key, retried, at| report(state, &refused(key, retried), seconds(at));
    for key in ["a", "b"] {
        assert_eq!(refuse(&mut state, key, false, 1).refusal, Some(RefusalScope::Key));
    }
    assert_eq!(
        refuse(&mut state, "c", false, 1).refusal,
        Some(RefusalScope::Credentials)
    );
    assert_eq!(state.blocked_until(false, seconds(1)), Some(seconds(31)));
    // The same keys as probes do not prolong it, another one does.
    assert_eq!(refuse(&mut state, "c", false, 40).refusal, Some(RefusalScope::Unknown));
    assert_eq!(refuse(&mut state, "old", true, 40).refusal, Some(RefusalScope::Unknown));
    assert_eq!(state.blocked_until(false, seconds(40)), None);
    assert_eq!(
        refuse(&mut state, "d", false, 40).refusal,
        Some(RefusalScope::Credentials)
    );
    assert_eq!(state.blocked_until(false, seconds(40)), Some(seconds(100)));
    assert_eq!(succeed(&mut state, seconds(101)), Some(LimiterEvent::Resumed));
}

/// Refuses this key, which has not failed before.
fn refuse_new(state: &mut LimiterState, key: usize, now: DateTime<Utc>) {
    assert!(tokens(state, now) > 0, "{key}");
    let refusal = report(state, &refused(&key.to_string(), false), now).refusal;
    assert_eq!(refusal, Some(RefusalScope::Credentials));
}

#[test]
fn credentials_that_were_never_accepted_are_tried_for_keys_that_were_not_refused() {
    let mut state = state();
    // At the rate of the limit, for so many keys.
    (0..10).for_each(|key| refuse_new(&mut state, key, seconds(0)));
    assert!(state.untried_only(seconds(0)));
    assert_eq!(state.blocked_until(true, seconds(0)), Some(seconds(2)));
    // Then every two seconds.
    for (key, second) in (10..100).zip((2..).step_by(2)) {
        assert_eq!(tokens(&mut state, seconds(second - 1)), 0);
        // Each suspension that has ended is a longer one, of the keys that failed.
        refuse_new(&mut state, key, seconds(second));
    }
    // After a hundred keys there is little hope.
    let until = state.restrictions.suspension.as_ref().unwrap().until;
    assert_eq!(state.blocked_until(true, seconds(180)), Some(until));
    assert!(until > seconds(200));
    assert_eq!(succeed(&mut state, until), Some(LimiterEvent::Resumed));
    assert!(tokens(&mut state, until) > 1);
}

#[test]
fn keys_that_were_refused_before_a_success_suspend_nothing_after_it() {
    let mut state = state();
    (0..8).for_each(|key| refuse_new(&mut state, key, seconds(0)));
    assert_eq!(succeed(&mut state, seconds(1)), Some(LimiterEvent::Resumed));
    for key in 0..8 {
        let refusal = report(&mut state, &refused(&key.to_string(), false), seconds(5)).refusal;
        assert_eq!(refusal, Some(RefusalScope::Key), "{key}");
    }
    assert_eq!(state.restrictions.suspension, None);
}
