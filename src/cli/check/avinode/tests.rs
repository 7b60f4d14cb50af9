use super::*;

#[test]
fn a_clock_within_five_minutes_is_no_finding_and_one_beyond_says_which_way() {
    let ours: DateTime<Utc> = "2026-01-31T10:00:00Z".parse().unwrap();
    for seconds in [0, 300, -300] {
        assert!(
            skew(ours + chrono::TimeDelta::seconds(seconds), ours).is_none(),
            "{seconds}"
        );
    }
    let said = |seconds| skew(ours + chrono::TimeDelta::seconds(seconds), ours).unwrap().found;
    assert!(said(301).contains("301 s behind"));
    assert!(said(-301).contains("301 s ahead of"));
}
