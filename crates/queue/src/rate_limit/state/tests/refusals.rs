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
    assert_eq!(
        state.restrictions.suspended_for(seconds(1)),
        Some(Duration::from_secs(30))
    );
    // The same keys as probes do not prolong it, another one does.
    assert_eq!(refuse(&mut state, "c", false, 40).refusal, Some(RefusalScope::Unknown));
    assert_eq!(refuse(&mut state, "old", true, 40).refusal, Some(RefusalScope::Unknown));
    assert_eq!(state.restrictions.suspended_for(seconds(40)), None);
    assert_eq!(
        refuse(&mut state, "d", false, 40).refusal,
        Some(RefusalScope::Credentials)
    );
    assert_eq!(
        state.restrictions.suspended_for(seconds(40)),
        Some(Duration::from_secs(60))
    );
    assert_eq!(succeed(&mut state, seconds(101)), Some(LimiterEvent::Resumed));
}
