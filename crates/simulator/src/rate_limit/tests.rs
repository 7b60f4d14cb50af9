use super::*;

#[test]
fn a_burst_and_then_the_rate_are_allowed_and_not_one_call_more() {
    let begun = Instant::now();
    let mut bucket = QuotaBucket::full(CallQuota { rate: 2.0, burst: 3 }, begun);
    let mut allowed = |millis| bucket.take(begun + Duration::from_millis(millis)).allowed;
    assert_eq!(
        [allowed(0), allowed(0), allowed(0), allowed(0)],
        [true, true, true, false]
    );
    assert_eq!([allowed(499), allowed(500), allowed(501)], [false, true, false]);
    assert_eq!(
        [allowed(9000), allowed(9000), allowed(9000), allowed(9000)],
        [true, true, true, false]
    );
}

#[test]
fn a_decision_says_how_many_calls_remain_and_when_more_are_allowed() {
    let begun = Instant::now();
    let mut bucket = QuotaBucket::full(CallQuota { rate: 0.5, burst: 2 }, begun);
    let first = bucket.take(begun);
    assert_eq!((first.remaining, first.reset), (1, Duration::from_secs(2)));
    bucket.take(begun);
    let third = bucket.take(begun);
    assert_eq!(
        (third.allowed, third.remaining, third.reset),
        (false, 0, Duration::from_secs(2))
    );
}
