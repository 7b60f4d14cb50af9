use super::*;

#[test]
fn a_moment_is_a_time_or_a_duration_before_now() {
    let now: DateTime<Utc> = "2026-01-31T10:00:00Z".parse().unwrap();
    for (text, moment) in [
        ("30m", "2026-01-31T09:30:00Z"),
        ("48h", "2026-01-29T10:00:00Z"),
        ("7d", "2026-01-24T10:00:00Z"),
        ("2026-01-31T10:00:00+01:00", "2026-01-31T09:00:00Z"),
    ] {
        let wanted: DateTime<Utc> = moment.parse().unwrap();
        assert_eq!(since(text).unwrap().moment(now), wanted, "{text}");
    }
    for wrong in ["", "7", "-1h", "99999999999999999999d", "4000d", "yesterday"] {
        assert!(since(wrong).is_err(), "{wrong:?}");
    }
}
