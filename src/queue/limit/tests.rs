//! The rules of a shared limit: windows as the other side counts them, the breaker, pauses and stops.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;

const ME: &str = "me";

fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + TimeDelta::microseconds(micros)
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    at(seconds * 1_000_000)
}

fn state(per_second: f64, burst: u32) -> State {
    State::new(Limit { per_second, burst }, at(0))
}

fn slots(state: &State, now: DateTime<Utc>) -> u32 {
    match state.free(now, ME) {
        Free::Slots(slots) => slots,
        Free::After(_) => 0,
    }
}

proptest! {
    /// Workers ask for slots at any moments, call with any lateness that is allowed, give some back unused, and the other
    /// side says at times that little is left: no window of its log is over the limit.
    #[test]
    fn no_window_of_calls_is_over_the_limit(
        per_second in prop::sample::select(vec![0.5, 1.0, 3.0, 20.0, 100.0]),
        burst in 1..40_u32,
        asked in prop::collection::vec((0..3_000_i64, 1..12_u32, 0..=1_000_i64, 0..=1_000_i64, 0..12_u32, 0..20_u8), 1..80),
    ) {
        let limit = Limit { per_second, burst };
        let mut state = State::new(limit, at(0));
        let mut now = 0;
        let mut calls: Vec<i64> = Vec::new();
        for (pause, wanted, start, way, unused, luck) in asked {
            // Often at the first moment at which there is a slot again, which is the worst one.
            now += match state.free(at(now), ME) {
                Free::After(wait) if luck % 2 == 0 => i64::try_from(wait.as_micros()).unwrap(),
                _ => limit.slots().0 * pause / 1_000,
            };
            let Free::Slots(free) = state.free(at(now), ME) else { continue };
            let taken = wanted.min(free);
            state.take(taken, at(now), ME);
            let unused = unused.min(taken) / 2;
            state.give_back(unused);
            let half = micros(limit.start_within());
            for _ in 0..taken - unused {
                calls.push(now + half * start / 1_000 + half * way / 1_000);
            }
            if luck == 19 {
                let left = Left { limit: Some(100), remaining: Some(5), reset: Some(Duration::from_secs(2)) };
                state.hear(&Verdict::Well, left, at(now), ME);
            }
        }
        calls.sort_unstable();
        for (first, from) in calls.iter().enumerate() {
            for (last, to) in calls.iter().enumerate().skip(first) {
                let count = (last - first + 1) as f64;
                // The call at the end of a closed window may be the one that has just become free.
                let most = f64::from(burst) + per_second * ((to - from) as f64 / 1e6);
                prop_assert!(count <= most + 1e-3, "{count} calls in {} µs", to - from);
            }
        }
    }

    /// Whoever waits as long as was said gets a slot.
    #[test]
    fn a_slot_is_there_when_it_was_said_to_be(
        per_second in 0.1..200.0_f64, burst in 1..30_u32, taken in prop::collection::vec(1..30_u32, 1..6), slow in any::<bool>(),
    ) {
        let mut state = state(per_second, burst);
        let mut now = at(0);
        if slow {
            let left = Left { limit: Some(100), remaining: Some(5), reset: Some(Duration::from_secs(60)) };
            state.hear(&Verdict::Well, left, now, ME);
        }
        for wanted in taken {
            match state.free(now, ME) {
                Free::Slots(free) => state.take(free.min(wanted), now, ME),
                Free::After(wait) => {
                    now += delta(wait);
                    prop_assert!(slots(&state, now) >= 1, "after {wait:?}");
                }
            }
        }
    }
}

#[test]
fn by_default_eight_calls_go_at_once_and_then_one_a_second() {
    let mut state = state(1.0, 10);
    assert_eq!(slots(&state, at(0)), 8, "two of ten are held back for late calls");
    assert_eq!(state.limit.start_within(), Duration::from_secs(1));
    state.take(8, at(0), ME);
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(1)));
    assert_eq!(slots(&state, seconds(1)), 1);
    assert_eq!(slots(&state, seconds(100)), 8, "and never more");
}

#[test]
fn what_was_not_called_is_given_back() {
    let mut state = state(1.0, 10);
    state.take(8, at(0), ME);
    state.give_back(3);
    assert_eq!(slots(&state, at(0)), 3);
}

#[test]
fn the_breaker_opens_after_five_failures_in_a_row_and_lets_one_call_through_at_a_time() {
    let mut state = state(100.0, 100);
    let fail = |state: &mut State, now| state.hear(&Verdict::Failed, Left::default(), now, ME);
    for _ in 0..4 {
        assert_eq!(fail(&mut state, at(0)), None);
    }
    assert!(slots(&state, at(0)) > 1);
    assert_eq!(fail(&mut state, at(0)), Some(News::Opened(Duration::from_secs(5))));
    assert_eq!(fail(&mut state, at(0)), None, "those under way say nothing new");
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(5)));

    assert_eq!(slots(&state, seconds(5)), 1, "a probe");
    state.take(1, seconds(5), ME);
    assert_eq!(slots(&state, seconds(6)), 0, "and no other beside it");
    assert_eq!(
        fail(&mut state, seconds(6)),
        Some(News::Opened(Duration::from_secs(10)))
    );
    assert_eq!(slots(&state, seconds(15)), 0);
    state.take(1, seconds(16), ME);
    let well = state.hear(&Verdict::Well, Left::default(), seconds(17), ME);
    assert_eq!(well, Some(News::Closed));
    assert!(slots(&state, seconds(17)) > 1);
    assert!(!state.is_watched(ME));
}

#[test]
fn a_probe_whose_worker_died_is_made_again() {
    let mut state = state(100.0, 100);
    for _ in 0..5 {
        state.hear(&Verdict::Failed, Left::default(), at(0), ME);
    }
    state.take(1, seconds(5), ME);
    assert_eq!(slots(&state, seconds(120)), 0);
    assert_eq!(slots(&state, seconds(126)), 1);
}

#[test]
fn a_success_in_between_is_no_row_of_failures() {
    let mut state = state(100.0, 100);
    for _ in 0..20 {
        for _ in 0..4 {
            state.hear(&Verdict::Failed, Left::default(), at(0), ME);
        }
        assert_eq!(state.hear(&Verdict::Well, Left::default(), at(0), ME), None);
    }
    assert!(slots(&state, at(0)) > 1);
}

#[test]
fn refused_credentials_stop_everything_but_a_slow_probe_and_other_credentials() {
    let mut state = state(100.0, 100);
    let refused = Verdict::Refused("401".to_owned());
    assert_eq!(
        state.hear(&refused, Left::default(), at(0), ME),
        Some(News::Stopped("401".to_owned()))
    );
    assert_eq!(
        state.hear(&refused, Left::default(), at(0), ME),
        None,
        "it is said once"
    );
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(30)));
    assert!(matches!(state.free(at(0), "another"), Free::Slots(free) if free > 1));

    state.take(1, seconds(30), ME);
    assert_eq!(state.hear(&refused, Left::default(), seconds(31), ME), None);
    assert_eq!(state.free(seconds(31), ME), Free::After(Duration::from_secs(60)));
    state.take(1, seconds(91), ME);
    assert_eq!(
        state.hear(&Verdict::Well, Left::default(), seconds(92), ME),
        Some(News::Resumed)
    );
    assert!(slots(&state, seconds(92)) > 1);
}

#[test]
fn the_other_side_is_believed_when_it_says_that_nothing_or_little_is_left() {
    let left = |remaining, reset| Left {
        limit: Some(100),
        remaining: Some(remaining),
        reset: Some(Duration::from_secs(reset)),
    };
    let mut state = state(1.0, 10);
    state.hear(&Verdict::Well, left(50, 10), at(0), ME);
    assert_eq!(slots(&state, at(0)), 8);
    state.hear(&Verdict::Well, left(10, 20), at(0), ME);
    assert_eq!(slots(&state, at(0)), 4, "a slot costs double");
    state.hear(&Verdict::Well, left(0, 7), at(0), ME);
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(7)));
    let limited = state.hear(
        &Verdict::Limited(Some(Duration::from_secs(9))),
        Left::default(),
        at(0),
        ME,
    );
    assert_eq!(limited, None, "a pause was known");
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(9)));
    assert_eq!(slots(&state, seconds(21)), 8);
}
