use super::*;

fn hours(days: &str, hours: &str, zone: &str) -> WorkingHours {
    WorkingHours {
        days: days.parse().unwrap(),
        hours: hours.parse().unwrap(),
        zone: zone.parse().unwrap(),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Of Monday to Friday, 8 to 18 o'clock in Berlin.
fn between(from: &str, to: &str) -> i64 {
    let berlin = hours("mon-fri", "08:00-18:00", "Europe/Berlin");
    berlin.between(at(from), at(to)).num_minutes()
}

#[test]
fn nights_and_weekends_do_not_count() {
    // In summer Berlin is two hours ahead of UTC: 8 o'clock is 06:00Z. 2026-07-03 is a Friday.
    assert_eq!(between("2026-07-03T10:00:00Z", "2026-07-03T11:30:00Z"), 90);
    assert_eq!(between("2026-07-03T15:00:00Z", "2026-07-03T23:00:00Z"), 60);
    assert_eq!(between("2026-07-03T15:00:00Z", "2026-07-06T06:30:00Z"), 90);
    assert_eq!(between("2026-07-04T00:00:00Z", "2026-07-05T23:00:00Z"), 0);
    assert_eq!(between("2026-06-29T00:00:00Z", "2026-07-05T00:00:00Z"), 5 * 600);
    assert_eq!(between("2026-07-03T11:00:00Z", "2026-07-03T10:00:00Z"), 0);
}

#[test]
fn hours_are_those_of_the_zone_before_and_after_the_clocks_change() {
    // The clocks of Berlin go back on Sunday, 2026-10-25.
    assert_eq!(between("2026-10-23T05:00:00Z", "2026-10-23T07:00:00Z"), 60);
    assert_eq!(between("2026-10-26T06:00:00Z", "2026-10-26T08:00:00Z"), 60);
    // They go forward on Sunday, 2026-03-29, from 2 to 3 o'clock.
    let night = hours("sun", "02:30-06:00", "Europe/Berlin");
    let from = at("2026-03-29T00:00:00Z");
    assert_eq!(night.between(from, at("2026-03-29T12:00:00Z")).num_minutes(), 150);
}

#[test]
fn a_moment_is_in_working_hours_or_not() {
    let new_york = hours("mon-fri", "09:00-17:00", "America/New_York");
    assert!(new_york.contain(at("2026-07-03T13:00:00Z")));
    assert!(!new_york.contain(at("2026-07-03T12:59:59Z")));
    assert!(!new_york.contain(at("2026-07-03T21:00:00Z")));
    assert!(!new_york.contain(at("2026-07-04T14:00:00Z")));
    let always = hours("mon-sun", "00:00-24:00", "UTC");
    assert!(always.contain(at("2026-07-04T23:59:59Z")));
}

#[test]
fn a_very_old_moment_counts_from_a_year_ago() {
    let always = hours("mon-sun", "00:00-24:00", "UTC");
    let long = always.between(DateTime::UNIX_EPOCH, at("2026-07-04T00:00:00Z"));
    assert_eq!(long.num_days(), MAX_DAYS);
}

#[test]
fn days_and_hours_are_parsed_or_refused() {
    assert_eq!("mon-fri".parse(), "Monday,tue, wed,thu-fri".parse::<WorkingDays>());
    assert_eq!("sat-mon".parse(), "sun,mon,sat".parse::<WorkingDays>());
    for text in ["", "mon-", "weekdays", "mon;tue", "1-5"] {
        assert_eq!(text.parse::<WorkingDays>(), Err(InvalidDays), "{text}");
    }
    assert_eq!("8:00 - 18:30".parse::<DailyHours>().unwrap().to_string(), "08:00-18:30");
    for text in [
        "",
        "8-18",
        "18:00-08:00",
        "08:00-08:00",
        "08:60-18:00",
        "08:00-24:01",
        "08:00",
    ] {
        assert_eq!(text.parse::<DailyHours>(), Err(InvalidHours), "{text}");
    }
}
