use super::*;

#[test]
fn a_loop_is_stale_only_after_its_own_limit() {
    let heartbeats = HeartbeatRegistry::new();
    let _patient = heartbeats.register("maintenance", Duration::from_secs(60));
    let _hasty = heartbeats.register("worker", Duration::from_secs(5));
    let later = |secs| Instant::now() + Duration::from_secs(secs);
    assert_eq!(heartbeats.stale(), Vec::<String>::new());
    assert_eq!(heartbeats.stale_at(later(6)), ["worker"]);
    assert_eq!(heartbeats.stale_at(later(61)), ["maintenance", "worker"]);
}

#[test]
fn a_beat_makes_a_loop_fresh_again() {
    let heartbeats = HeartbeatRegistry::new();
    let pulse = heartbeats.register("worker", Duration::from_millis(20));
    let deadline = Instant::now() + Duration::from_secs(10);
    while heartbeats.stale() != ["worker"] {
        assert!(Instant::now() < deadline, "stale: {:?}", heartbeats.stale());
        std::thread::yield_now();
    }
    pulse.beat();
    assert_eq!(heartbeats.stale(), Vec::<String>::new());
}

#[test]
fn a_loop_that_died_becomes_stale_and_is_named_once() {
    let heartbeats = HeartbeatRegistry::new();
    drop(heartbeats.register("worker", Duration::from_secs(1)));
    drop(heartbeats.register("worker", Duration::from_secs(1)));
    assert_eq!(heartbeats.stale_at(Instant::now() + Duration::from_secs(2)), ["worker"]);
}
