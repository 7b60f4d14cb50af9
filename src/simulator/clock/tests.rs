use super::*;

#[tokio::test]
async fn time_passes_faster_and_never_overflows() {
    let fast = ScaledClock::start(3600.0);
    assert_eq!(fast.wall(Duration::from_secs(3600)), Duration::from_secs(1));
    assert_eq!(fast.instant(7200) - fast.instant(0), Duration::from_secs(2));
    assert_eq!(ScaledClock::start(1e-9).wall(Duration::from_secs(3600)), FOR_EVER);
}
