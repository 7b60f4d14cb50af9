use super::*;

#[test]
fn the_worst_window_is_found_at_any_time() {
    let log = CallLog::begin();
    let mut call = |millis: u64| {
        let at = log.began + Duration::from_millis(millis);
        log.record_call(at, "rfqs/arfq-1".to_owned(), CallResult::Served);
    };
    [0, 1000, 2000, 5000, 5000, 5000, 5100, 9000]
        .into_iter()
        .for_each(&mut call);
    // Four calls within a tenth of a second; allowed are one per second, and bursts of three.
    let excess = log.excess(1.0, 3);
    assert!((excess - 0.9).abs() < 1e-9, "{excess}");
    assert!(log.excess(1.0, 4) <= 0.0);
    assert_eq!(log.results()["served"], 8);
}
