use super::*;

#[test]
fn durations_and_counts_are_readable() {
    assert_eq!(
        [duration(0.0421), duration(3.12), duration(600.0), duration(7_200.0)],
        ["42 ms", "3.1 s", "10 min", "2 h"]
    );
    assert_eq!(
        [count(999), count(1_000), count(1_234_567), count(-1_000)],
        ["999", "1,000", "1,234,567", "-1,000"]
    );
}
