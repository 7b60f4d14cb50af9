use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + TimeDelta::microseconds(micros)
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    at(seconds * 1_000_000)
}

fn bucket(per_second: f64, burst: u32) -> TokenBucket {
    TokenBucket::full(RateLimit { per_second, burst }, at(0))
}

fn tokens(bucket: &mut TokenBucket, now: DateTime<Utc>) -> u32 {
    match bucket.available(now, 1) {
        Availability::Tokens(tokens) => tokens,
        Availability::After(_) => 0,
    }
}

/// A call of the property below, in shares of the longest duration of a call.
#[derive(Debug, Clone)]
struct Call {
    /// When it ends after it began.
    end: f64,
    /// When the server counts it, as a share of that or of [`COUNTED_WITHIN`], if that is less.
    counted: f64,
    /// When it begins after its token was taken.
    begin: f64,
    /// It is not made.
    unused: bool,
}

fn call() -> impl Strategy<Value = Call> {
    // Often immediately, and often at the very end.
    let share = || prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64];
    (share(), share(), share(), prop::bool::weighted(0.1)).prop_map(|(end, counted, begin, unused)| Call {
        end,
        counted,
        begin,
        unused,
    })
}

/// An event during a step, in addition to its calls.
#[derive(Debug, Clone, PartialEq)]
enum Incident {
    Nothing,
    /// The server says that little of its quota is left: calls cost double for two seconds.
    LittleLeft,
    /// The leader dies, and another one leads after this share of five seconds. Until then the server may count calls that were
    /// in flight.
    LeaderDies {
        takeover: f64,
    },
}

fn incident() -> impl Strategy<Value = Incident> {
    prop_oneof![
        8 => Just(Incident::Nothing),
        1 => Just(Incident::LittleLeft),
        1 => (0.0..=1.0_f64).prop_map(|takeover| Incident::LeaderDies { takeover }),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a share of some seconds"
)]
fn share(of: i64, share: f64) -> i64 {
    (of as f64 * share) as i64
}

proptest! {
    /// Tokens are taken at any time, calls take any time, the server counts a call anywhere between its token and its end,
    /// and leaders die with calls in flight. No window of the server's log exceeds the limit.
    #[test]
    fn no_window_of_calls_exceeds_the_limit(
        per_second in prop::sample::select(vec![0.5, 1.0, 3.0, 20.0, 100.0]),
        burst in 1..40_u32,
        longest in prop::sample::select(vec![0_i64, 50_000, 1_000_000, 35_000_000]),
        steps in prop::collection::vec((0..3_000_i64, prop::collection::vec(call(), 1..12), incident()), 1..80),
    ) {
        let limit = RateLimit { per_second, burst };
        let mut bucket = TokenBucket::full(limit, at(0));
        let (mut now, mut slow_until) = (0, 0);
        let mut counted: Vec<i64> = Vec::new();
        // Calls whose tokens were taken: when they begin, their duration, and when they are counted after they began.
        let mut waiting: Vec<(i64, i64, Option<i64>)> = Vec::new();
        // Calls in flight: when they end, and when they are counted.
        let mut in_flight: Vec<(i64, BegunCall, i64)> = Vec::new();
        for (pause, calls, incident) in steps {
            let cost = 1 + i64::from(slow_until > now);
            // Often the first time at which there may be a token again, which is the worst one.
            now += match bucket.available(at(now), cost) {
                Availability::After(wait) if pause % 2 == 0 => i64::try_from(wait.as_micros()).unwrap(),
                _ => share(limit.interval() + longest / 10, pause as f64 / 1_000.0),
            };
            let cost = 1 + i64::from(slow_until > now);
            waiting.sort_unstable();
            for (begin, duration, count) in waiting.extract_if(.., |(begin, ..)| *begin <= now) {
                for (end, call, _) in in_flight.iter().filter(|(end, ..)| *end <= begin) {
                    bucket.finish(*call, at(*end), cost);
                }
                counted.extend(in_flight.extract_if(.., |(end, ..)| *end <= begin).map(|(.., count)| count));
                match count {
                    Some(count) => in_flight.push((begin + duration, bucket.begin(at(begin)), begin + count)),
                    None => bucket.put_back(),
                }
                in_flight.sort_unstable_by_key(|(end, ..)| *end);
            }
            for (end, call, count) in in_flight.extract_if(.., |(end, ..)| *end <= now) {
                bucket.finish(call, at(end), cost);
                counted.push(count);
            }
            if let Availability::Tokens(available) = bucket.available(at(now), cost) {
                let wanted = available.min(u32::try_from(calls.len()).unwrap());
                bucket.take(wanted);
                for call in calls.into_iter().take(wanted as usize) {
                    let duration = share(longest, call.end);
                    let count = (!call.unused).then(|| share(duration.min(micros(COUNTED_WITHIN)), call.counted));
                    waiting.push((now + share(100_000, call.begin), duration, count));
                }
            }
            match incident {
                Incident::Nothing => {}
                Incident::LittleLeft => slow_until = now + 2_000_000,
                Incident::LeaderDies { takeover } => {
                    (now, slow_until) = (now + share(5_000_000, takeover), 0);
                    counted.extend(in_flight.drain(..).map(|(.., count)| count.min(now)));
                    waiting.clear();
                    bucket = TokenBucket::empty(limit, at(now));
                }
            }
        }
        counted.extend(in_flight.into_iter().map(|(.., count)| count));
        counted.sort_unstable();
        for (first, from) in counted.iter().enumerate() {
            for (last, to) in counted.iter().enumerate().skip(first) {
                let count = (last - first + 1) as f64;
                // The call at the end of a closed window may be the one whose token has just refilled.
                let most = f64::from(burst) + per_second * ((to - from) as f64 / 1e6);
                prop_assert!(count <= most + 1e-3, "{count} calls in {} µs", to - from);
            }
        }
    }

    #[test]
    fn a_token_is_there_when_it_was_promised_and_no_sooner(
        per_second in 0.1..200.0_f64, burst in 1..30_u32, calls in prop::collection::vec(1..30_u32, 1..6), slow in any::<bool>(),
    ) {
        let mut bucket = bucket(per_second, burst);
        let cost = 1 + i64::from(slow);
        let available = |bucket: &mut TokenBucket, now| match bucket.available(now, cost) {
            Availability::Tokens(tokens) => tokens,
            Availability::After(_) => 0,
        };
        let mut now = at(0);
        for wanted in calls {
            match bucket.available(now, cost) {
                Availability::Tokens(tokens) => {
                    let tokens = tokens.min(wanted);
                    bucket.take(tokens);
                    (0..tokens).for_each(|_| {
                        let call = bucket.begin(now);
                        bucket.finish(call, now, cost);
                    });
                }
                Availability::After(wait) => {
                    let wait = TimeDelta::from_std(wait).unwrap();
                    prop_assert_eq!(available(&mut bucket, now + wait - TimeDelta::microseconds(1)), 0);
                    now += wait;
                    prop_assert!(available(&mut bucket, now) >= 1, "after {wait}");
                }
            }
        }
    }
}

#[test]
fn by_default_ten_calls_go_immediately_and_then_one_per_second() {
    let mut bucket = bucket(1.0, 10);
    assert_eq!(tokens(&mut bucket, at(0)), 10);
    bucket.take(10);
    (0..10).for_each(|_| {
        let call = bucket.begin(at(0));
        bucket.finish(call, at(0), 1);
    });
    assert_eq!(bucket.available(at(0), 1), Availability::After(Duration::from_secs(1)));
    assert_eq!(tokens(&mut bucket, seconds(1)), 1);
    assert_eq!(tokens(&mut bucket, seconds(100)), 10, "and never more");
}

#[test]
fn slow_calls_cost_no_throughput_while_the_burst_holds_them() {
    // One call per second, each of which takes five, of which the token is held for two: never more than three.
    let mut bucket = bucket(1.0, 4);
    let mut calls = VecDeque::new();
    for now in (0..60).map(seconds) {
        if calls.len() == 5 {
            bucket.finish(calls.pop_front().unwrap(), now, 1);
        }
        assert!(tokens(&mut bucket, now) >= 1, "{now}");
        bucket.take(1);
        calls.push_back(bucket.begin(now));
    }
}

#[test]
fn the_token_of_a_call_refills_from_its_end_or_from_when_it_was_counted() {
    let mut bucket = bucket(1.0, 1);
    bucket.take(1);
    assert_eq!(tokens(&mut bucket, seconds(30)), 0, "it has not begun");
    let hanging = bucket.begin(seconds(30));
    assert_eq!(tokens(&mut bucket, seconds(32)), 0, "it begins to refill, now");
    assert_eq!(
        bucket.available(seconds(32), 1),
        Availability::After(Duration::from_secs(1))
    );
    assert_eq!(
        tokens(&mut bucket, seconds(33)),
        1,
        "one call that hangs holds up no other"
    );
    bucket.take(1);
    let quick = bucket.begin(seconds(33));
    bucket.finish(quick, seconds(33), 1);
    bucket.finish(hanging, seconds(34), 1);
    assert_eq!(tokens(&mut bucket, seconds(34)), 1, "its end gives no second one back");
}
