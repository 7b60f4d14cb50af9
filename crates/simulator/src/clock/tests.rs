use super::*;

#[tokio::test]
async fn scenario_time_passes_faster_and_never_overflows() {
    let clock = ScaledClock::start(3600.0);
    assert_eq!(clock.real(Duration::from_secs(3600)), Duration::from_secs(1));
    assert_eq!(clock.instant(7200) - clock.instant(0), Duration::from_secs(2));
    assert_eq!(ScaledClock::start(1e-9).real(Duration::from_secs(3600)), FOREVER);
}
