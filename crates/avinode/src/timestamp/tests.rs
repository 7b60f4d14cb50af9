use super::*;

fn read(text: &str) -> Option<String> {
    lenient(text).map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

#[test]
fn every_common_form_is_parsed() {
    for text in [
        "2026-01-31T10:00:00Z",
        "2026-01-31t10:00:00z",
        " 2026-01-31 10:00:00 ",
        "2026-01-31T10:00",
        "2026-01-31T10:00Z",
        "2026-01-31T12:00:00+02:00",
        "2026-01-31T12:00:00.000+0200",
        "2026-01-31 12:00:00 +02",
        "2026-01-31T04:30:00-05:30",
        "2026-01-31T10:00:00,000Z",
        "2026-01-31 10:00:00 UTC",
        "2026-01-31T10:00:00UTC",
        "2026-01-31 10:00 gmt",
        "20260131T100000Z",
        "20260131T100000.000Z",
        "20260131T1000Z",
        "20260131T100000",
        "20260131T120000+0200",
        "1769853600",
        "1769853600.0",
        "1769853600000",
        "Sat, 31 Jan 2026 10:00:00 GMT",
        "Sat, 31 Jan 2026 10:00:00 UTC",
        "sat, 31 jan 2026 10:00:00 gmt",
        "Sat, 31 Jan 2026 12:00:00 +0200",
        "31 Jan 2026 10:00:00 Z",
        "31 Jan 2026 10:00 +0000",
    ] {
        assert_eq!(read(text).as_deref(), Some("2026-01-31T10:00:00.000000Z"), "{text}");
    }
}

#[test]
fn a_fraction_is_cut_to_microseconds_and_never_rounded() {
    assert_eq!(
        read("2026-01-31T10:00:00.9999999Z").as_deref(),
        Some("2026-01-31T10:00:00.999999Z")
    );
    assert_eq!(
        read("2026-01-31T10:00:00.12345678901234Z").as_deref(),
        Some("2026-01-31T10:00:00.123456Z")
    );
    assert_eq!(
        read("2016-12-31T23:59:60.5Z").as_deref(),
        Some("2017-01-01T00:00:00.500000Z")
    );
}

#[test]
fn an_ambiguous_or_invalid_time_is_none() {
    for text in [
        "",
        "now",
        "2026-01-31",
        "31.01.2026 10:00",
        "17698536000",
        "1769853600.",
        "-1769853600",
        "1.7698536e9",
        "20260131",
        "20260131100000",
        "Sat, 31 Jan 2026 10:00:00 CET",
        "Sat, 31 Jan 2026 10:00:00 EST",
        "Fri, 31 Jan 2026 10:00:00 GMT",
        "Sat, 31 Jan 2026 10:00:00",
        "01/31/2026 10:00:00",
        "2026-01-31T10:00:00 GMT+2",
        "2026-02-30T10:00:00Z",
        "2026-01-31T25:00:00Z",
        "0001-01-01T00:00:00",
        "+12026-01-31T10:00:00Z",
        "2026-01-31T10:00:00 CET",
        "2026-01-31T10:00:00ZZ",
        "２026-01-31T10:00:00Z",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(lenient(&format!("2026-01-31T10:00:00.{}Z", "1".repeat(100_000))), None);
}

#[test]
fn seconds_and_milliseconds_since_1970_keep_their_fraction_and_differ_by_their_digits() {
    assert_eq!(
        read("1769853600.1234567").as_deref(),
        Some("2026-01-31T10:00:00.123456Z")
    );
    assert_eq!(read("1769853600123").as_deref(), Some("2026-01-31T10:00:00.123000Z"));
    assert_eq!(
        read("1769853600123.4567").as_deref(),
        Some("2026-01-31T10:00:00.123456Z")
    );
    assert_eq!(read("999999999").as_deref(), Some("2001-09-09T01:46:39.000000Z"));
}

#[test]
fn a_date_alone_is_the_end_of_a_validity_on_that_day_in_utc() {
    let read =
        |text: &str| end_of_validity(text).map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
    let end = Some("2026-01-31T23:59:59.999999Z");
    assert_eq!(read("2026-01-31").as_deref(), end);
    assert_eq!(read(" 20260131 ").as_deref(), end);
    assert_eq!(
        read("2026-01-31T10:00Z").as_deref(),
        Some("2026-01-31T10:00:00.000000Z")
    );
    for none in [
        "",
        "tomorrow",
        "2026-02-30",
        "31.01.2026",
        "01/02/2026",
        "0001-01-01",
        "2026-01",
    ] {
        assert_eq!(read(none), None, "{none}");
    }
}

#[test]
fn a_time_that_was_sent_and_not_understood_is_reported_and_a_missing_one_is_not() {
    let value = |sent: serde_json::Value| {
        let found = unread(&serde_json::json!({"at": sent}), "at", lenient);
        found.map(|property| property.to_string())
    };
    assert_eq!(
        value(serde_json::json!("tomorrow\u{7}")).as_deref(),
        Some("at \"tomorrow\"")
    );
    assert_eq!(
        value(serde_json::json!({"day": 1})).as_deref(),
        Some("at \"{\"day\":1}\"")
    );
    assert_eq!(value(serde_json::json!(true)).as_deref(), Some("at \"true\""));
    assert!(value(serde_json::json!("x".repeat(10_000))).unwrap().len() < 100);
    for understood in [
        serde_json::json!(null),
        serde_json::json!(""),
        serde_json::json!("0001-01-01T00:00:00"),
        serde_json::json!(1_769_853_600),
    ] {
        assert_eq!(value(understood.clone()), None, "{understood}");
    }
}
