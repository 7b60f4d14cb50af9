//! The rules of a shared limit: windows as the other side counts them, the breaker, pauses and stops.

use std::collections::VecDeque;

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

/// Takes slots for calls that end by themselves within a minute.
fn take(state: &mut State, slots: u32, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    state.take(slots, now, ME, Duration::from_secs(60))
}

/// Takes slots and makes calls that are over at once.
fn call(state: &mut State, slots: u32, now: DateTime<Utc>) {
    for call in take(state, slots, now) {
        state.over(call, Some(now), now);
    }
}

/// A call of the property below, in shares of the longest that a call may take.
#[derive(Debug, Clone)]
struct Fate {
    /// When it is over after its slot was taken.
    over: f64,
    /// When the other side counts it, as a share of that.
    counted: f64,
    /// How much later the others learn of its end; more than one: never.
    told: f64,
    /// It is not made.
    unused: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    // Often all at once and often at the very end.
    let share = || prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64];
    (share(), share(), 0.0..1.2_f64, prop::bool::weighted(0.1)).prop_map(|(over, counted, told, unused)| Fate {
        over,
        counted,
        told,
        unused,
    })
}

proptest! {
    /// Workers ask for slots at any moments, and call with any lateness, so that the other side counts a call anywhere between its
    /// slot and its end; some ends are told late and some never; some slots are not used, and the other side says at times that
    /// little is left. No window of its log is over the limit.
    #[test]
    fn no_window_of_calls_is_over_the_limit(
        per_second in prop::sample::select(vec![0.5, 1.0, 3.0, 20.0, 100.0]),
        burst in 1..40_u32,
        most in prop::sample::select(vec![0_i64, 50_000, 1_000_000, 35_000_000]),
        asked in prop::collection::vec((0..3_000_i64, prop::collection::vec(fate(), 1..12), 0..20_u8), 1..80),
    ) {
        let limit = Limit { per_second, burst };
        let mut state = State::new(limit, at(0));
        let mut now = 0;
        let mut calls: Vec<i64> = Vec::new();
        let mut ends: Vec<(i64, DateTime<Utc>, Option<DateTime<Utc>>)> = Vec::new();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of some seconds")]
        let share = |of: i64, share: f64| (of as f64 * share) as i64;
        for (pause, fates, luck) in asked {
            // Often at the first moment at which there may be a slot again, which is the worst one.
            now += match state.free(at(now), ME) {
                Free::After(wait) if luck % 2 == 0 => i64::try_from(wait.as_micros()).unwrap(),
                _ => share(limit.interval() + most / 10, pause as f64 / 1_000.0),
            };
            state.pass(at(now));
            for (_, by, since) in ends.extract_if(.., |(told, ..)| *told <= now) {
                state.over(by, since, at(now));
            }
            let Free::Slots(free) = state.free(at(now), ME) else { continue };
            let wanted = u32::try_from(fates.len()).unwrap();
            let taken = state.take(wanted.min(free), at(now), ME, Duration::from_micros(most.unsigned_abs()));
            for (by, fate) in taken.into_iter().zip(fates) {
                let over = share(most, fate.over);
                let since = (!fate.unused).then(|| at(now + over));
                if fate.told <= 1.0 {
                    ends.push((now + over + share(most, fate.told), by, since));
                }
                if !fate.unused {
                    calls.push(now + share(over, fate.counted));
                }
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

    /// Whoever waits as long as was said gets a slot, where no call is under way.
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
                Free::Slots(free) => call(&mut state, free.min(wanted), now),
                Free::After(wait) => {
                    prop_assert_eq!(slots(&state, now + delta(wait) - TimeDelta::microseconds(1)), 0, "no sooner");
                    now += delta(wait);
                    prop_assert!(slots(&state, now) >= 1, "after {wait:?}");
                }
            }
        }
    }
}

#[test]
fn by_default_ten_calls_go_at_once_and_then_one_a_second() {
    let mut state = state(1.0, 10);
    assert_eq!(slots(&state, at(0)), 10);
    call(&mut state, 10, at(0));
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(1)));
    assert_eq!(slots(&state, seconds(1)), 1);
    assert_eq!(slots(&state, seconds(100)), 10, "and never more");
}

#[test]
fn calls_that_take_long_cost_no_rate_while_the_burst_holds_them() {
    // A call a second, each of which takes five: never more than six under way.
    let mut state = state(1.0, 10);
    let mut calls = VecDeque::new();
    for now in (0..60).map(seconds) {
        if calls.len() == 5 {
            state.over(calls.pop_front().unwrap(), Some(now), now);
        }
        assert!(slots(&state, now) >= 1, "{now}");
        calls.extend(take(&mut state, 1, now));
    }
}

#[test]
fn a_slot_whose_call_is_under_way_does_not_fill() {
    let mut state = state(1.0, 2);
    let calls = take(&mut state, 2, at(0));
    assert_eq!(slots(&state, seconds(30)), 0);
    state.over(calls[0], Some(seconds(30)), seconds(30));
    assert_eq!(slots(&state, seconds(30)), 0, "it begins to, now");
    assert_eq!(slots(&state, seconds(31)), 1);
}

#[test]
fn a_call_whose_caller_died_is_over_when_its_time_has_passed() {
    let mut state = state(1.0, 2);
    let calls = take(&mut state, 2, at(0));
    state.pass(seconds(59));
    assert_eq!(slots(&state, seconds(59)), 0);
    // A microsecond later, as the moments of the two differ.
    state.pass(at(60_000_001));
    assert_eq!(slots(&state, at(60_000_001)), 0);
    assert_eq!(slots(&state, seconds(61)), 1);
    let before = state.clone();
    state.over(calls[0], Some(seconds(61)), seconds(62));
    assert_eq!(state, before, "and counts once, whoever speaks of it afterwards");
}

#[test]
fn what_was_not_called_is_there_again() {
    let mut state = state(1.0, 10);
    let calls = take(&mut state, 10, at(0));
    for call in &calls[..3] {
        state.over(*call, None, at(0));
    }
    assert_eq!(slots(&state, at(0)), 3);
}

/// A call for this key failed.
fn fail(state: &mut State, key: &str, now: DateTime<Utc>) -> Option<News> {
    let verdict = Verdict::Failed(key.to_owned());
    state.hear(&verdict, Left::default(), now, ME).news
}

fn well(state: &mut State, now: DateTime<Utc>) -> Option<News> {
    state.hear(&Verdict::Well, Left::default(), now, ME).news
}

/// Calls for five keys failed.
fn opened(state: &mut State, now: DateTime<Utc>) {
    for key in ["a", "b", "c", "d", "e"] {
        fail(state, key, now);
    }
    assert!(state.open_until.is_some());
}

#[test]
fn the_breaker_opens_after_five_failures_in_a_row_and_lets_one_call_through_at_a_time() {
    let mut state = state(100.0, 100);
    for key in ["a", "b", "c", "d"] {
        assert_eq!(fail(&mut state, key, at(0)), None);
    }
    assert!(slots(&state, at(0)) > 1);
    assert_eq!(fail(&mut state, "e", at(0)), Some(News::Opened(Duration::from_secs(5))));
    assert_eq!(fail(&mut state, "f", at(0)), None, "those under way say nothing new");
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(5)));

    assert_eq!(slots(&state, seconds(5)), 1, "a probe");
    take(&mut state, 1, seconds(5));
    assert_eq!(slots(&state, seconds(6)), 0, "and no other beside it");
    assert_eq!(
        fail(&mut state, "a", seconds(6)),
        Some(News::Opened(Duration::from_secs(10)))
    );
    assert_eq!(slots(&state, seconds(15)), 0);
    take(&mut state, 1, seconds(16));
    assert_eq!(well(&mut state, seconds(17)), Some(News::Closed));
    assert!(slots(&state, seconds(17)) > 1);
    assert!(!state.is_watched(ME));
}

#[test]
fn one_key_that_fails_again_and_again_opens_nothing() {
    let mut state = state(100.0, 100);
    for second in 0..50 {
        assert_eq!(fail(&mut state, "a", seconds(second)), None);
    }
    assert_eq!(state.failures, 1);
    assert!(slots(&state, seconds(50)) > 1);
    // Others beside it are what tells that all is down.
    for key in ["b", "a", "c"] {
        assert_eq!(fail(&mut state, key, seconds(50)), None);
    }
    assert!(matches!(fail(&mut state, "a", seconds(50)), Some(News::Opened(_))));
}

#[test]
fn a_probe_of_the_key_that_failed_last_prolongs_nothing_and_leaves_the_next_one_to_another() {
    let mut state = state(100.0, 100);
    opened(&mut state, at(0));
    let before = state.clone();
    take(&mut state, 1, seconds(5));
    assert_eq!(fail(&mut state, "e", seconds(6)), None);
    assert_eq!((state.open_until, state.opened), (before.open_until, 1));
    assert_eq!(slots(&state, seconds(6)), 1, "still one at a time, and at once");
    take(&mut state, 1, seconds(6));
    assert_eq!(
        fail(&mut state, "a", seconds(7)),
        Some(News::Opened(Duration::from_secs(10)))
    );
    take(&mut state, 1, seconds(17));
    assert_eq!(fail(&mut state, "a", seconds(18)), None);
    take(&mut state, 1, seconds(18));
    assert_eq!(well(&mut state, seconds(19)), Some(News::Closed));
    assert_eq!(state.failed_key, None);
}

#[test]
fn a_probe_whose_worker_died_is_made_again() {
    let mut state = state(100.0, 100);
    opened(&mut state, at(0));
    take(&mut state, 1, seconds(5));
    assert_eq!(slots(&state, seconds(64)), 0);
    assert_eq!(slots(&state, seconds(65)), 1);
}

#[test]
fn a_success_in_between_is_no_row_of_failures() {
    let mut state = state(100.0, 100);
    for _ in 0..20 {
        for key in ["a", "b", "c", "d"] {
            fail(&mut state, key, at(0));
        }
        assert_eq!(well(&mut state, at(0)), None);
    }
    assert!(slots(&state, at(0)) > 1);
}

#[test]
fn refused_credentials_stop_everything_but_a_slow_probe_and_other_credentials() {
    let mut state = state(100.0, 100);
    let refused = |state: &mut State, now| {
        let heard = state.hear(&Verdict::Refused("401".to_owned()), Left::default(), now, ME);
        (heard.news, heard.was_stopped)
    };
    assert_eq!(
        refused(&mut state, at(0)),
        (Some(News::Stopped("401".to_owned())), false)
    );
    assert_eq!(refused(&mut state, at(0)), (None, true), "it is said once");
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(30)));
    assert!(matches!(state.free(at(0), "another"), Free::Slots(free) if free > 1));

    take(&mut state, 1, seconds(30));
    assert_eq!(refused(&mut state, seconds(31)), (None, true));
    assert_eq!(state.free(seconds(31), ME), Free::After(Duration::from_secs(60)));
    take(&mut state, 1, seconds(91));
    assert_eq!(well(&mut state, seconds(92)), Some(News::Resumed));
    assert!(slots(&state, seconds(92)) > 1);
    // One that is refused now is refused by itself, as far as anybody knows.
    assert!(!refused(&mut state, seconds(93)).1);
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
    assert_eq!(slots(&state, at(0)), 10);
    state.hear(&Verdict::Well, left(10, 20), at(0), ME);
    assert_eq!(slots(&state, at(0)), 5, "a slot costs double");
    state.hear(&Verdict::Well, left(0, 7), at(0), ME);
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(7)));
    let limited = Verdict::Limited(Some(Duration::from_secs(9)));
    let limited = state.hear(&limited, Left::default(), at(0), ME);
    assert_eq!(limited.news, None, "a pause was known");
    assert_eq!(state.free(at(0), ME), Free::After(Duration::from_secs(9)));
    assert_eq!(slots(&state, seconds(21)), 10);
}
