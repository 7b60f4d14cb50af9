use super::*;

#[test]
fn a_burst_then_the_rate_and_not_one_call_more() {
    let begun = Instant::now();
    let mut bucket = TokenBucket::full(RateLimit { rate: 2.0, burst: 3 }, begun);
    let mut within = |millis| bucket.take(begun + Duration::from_millis(millis)).within;
    assert_eq!([within(0), within(0), within(0), within(0)], [true, true, true, false]);
    assert_eq!([within(499), within(500), within(501)], [false, true, false]);
    assert_eq!(
        [within(9000), within(9000), within(9000), within(9000)],
        [true, true, true, false]
    );
}

#[test]
fn a_call_is_told_what_is_left_and_when_to_come_again() {
    let begun = Instant::now();
    let mut bucket = TokenBucket::full(RateLimit { rate: 0.5, burst: 2 }, begun);
    let told = bucket.take(begun);
    assert_eq!((told.remaining, told.reset), (1, Duration::from_secs(2)));
    bucket.take(begun);
    let told = bucket.take(begun);
    assert_eq!(
        (told.within, told.remaining, told.reset),
        (false, 0, Duration::from_secs(2))
    );
}
