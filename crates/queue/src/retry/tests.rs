use super::*;

#[test]
fn delays_grow_with_the_attempt_and_stay_under_the_ceiling() {
    let policy = RetryPolicy::default();
    let longest = |attempt| (0..500).map(|_| policy.delay(attempt)).max().unwrap();
    assert!(longest(1) <= policy.base);
    assert!(longest(4) > policy.base * 2);
    assert!(longest(4) <= policy.base * 8);
    assert!(longest(100) <= policy.max);
    assert!(longest(100) > policy.max / 2);
}

#[test]
fn jobs_that_failed_together_do_not_come_back_together() {
    let policy = RetryPolicy::default();
    let delays: std::collections::BTreeSet<_> = (0..50).map(|_| policy.delay(8)).collect();
    assert!(delays.len() > 40);
}
