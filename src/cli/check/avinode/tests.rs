use super::*;

#[test]
fn a_clock_more_than_five_minutes_off_is_reported_with_its_direction() {
    let ours: DateTime<Utc> = "2026-01-31T10:00:00Z".parse().unwrap();
    for seconds in [0, 300, -300] {
        assert!(
            skew(ours + chrono::TimeDelta::seconds(seconds), ours).is_none(),
            "{seconds}"
        );
    }
    let message = |seconds| skew(ours + chrono::TimeDelta::seconds(seconds), ours).unwrap().message;
    assert!(message(301).contains("301 s behind"));
    assert!(message(-301).contains("301 s ahead of"));
}
