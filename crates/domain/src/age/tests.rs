use chrono::TimeDelta;

use super::*;

#[test]
fn an_age_is_rounded_down_to_the_largest_unit_of_which_there_are_two() {
    let now: DateTime<Utc> = "2026-11-29T12:00:00Z".parse().unwrap();
    for (seconds, expected) in [
        (0, "now"),
        (1, "1 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7_199, "119 min ago"),
        (7_200, "2 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 d ago"),
        (40_000_000, "462 d ago"),
        (-30, "in 30 s"),
        (-300, "in 5 min"),
    ] {
        assert_eq!(age(now - TimeDelta::seconds(seconds), now), expected);
    }
}
