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
        "1769853600",
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
