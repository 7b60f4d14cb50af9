use super::*;

fn response(status: u16, millis: u64) -> Result<ReplayResponse, String> {
    Ok(ReplayResponse {
        status,
        body: String::new(),
        latency: Duration::from_millis(millis),
        retries: 0,
    })
}

#[test]
fn percentiles_are_observed_latencies() {
    let summary = ReplaySummary::new(
        (1..=200).rev().map(|millis| response(200, millis)),
        Duration::from_secs(1),
    );
    let millis = |percent| summary.percentile(percent).unwrap().as_millis();
    assert_eq!(
        [millis(0), millis(50), millis(90), millis(99), millis(100)],
        [1, 100, 180, 198, 200]
    );
    assert_eq!(ReplaySummary::new([], Duration::ZERO).percentile(50), None);
    assert_eq!(
        ReplaySummary::new([response(200, 7)], Duration::ZERO).percentile(99),
        Some(Duration::from_millis(7))
    );
}

#[test]
fn only_200_counts_as_accepted() {
    let summary = ReplaySummary::new(
        [response(200, 1), response(202, 1), Err("refused".to_owned())],
        Duration::from_secs(2),
    );
    assert!(!summary.is_clean());
    assert_eq!(
        summary.refusal(),
        "1 of 3 deliveries were refused and 1 could not be sent"
    );
    assert_eq!(
        summary.to_string(),
        "3 deliveries in 2.000 s (1.5 per second)\n  status 200: 1\n  status 202: 1\n  not sent: 1\n  \
         latency: p50 1.00 ms, p90 1.00 ms, p99 1.00 ms, max 1.00 ms"
    );
    assert!(ReplaySummary::new([response(200, 1)], Duration::ZERO).is_clean());
}
