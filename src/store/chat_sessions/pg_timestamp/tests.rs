use super::*;

#[test]
fn infinities_have_no_time_and_other_timestamps_are_exact_to_the_microsecond() {
    assert_eq!(PgTimestamp(i64::MAX).time(), None);
    assert_eq!(PgTimestamp(i64::MIN).time(), None);
    assert_eq!(PgTimestamp(i64::MAX - 1).time(), None);
    let time = PgTimestamp(-1).time().unwrap();
    assert_eq!(time.to_rfc3339(), "1999-12-31T23:59:59.999999+00:00");
}
